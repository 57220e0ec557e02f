import { expect, test } from "vitest";
import { lossBetween, markerText, parseMarker } from "../../../src/client/decide/marker.ts";

const store = { createdAt: 100, sequence: 9, waiting: 2 };

test.each([
  ["nothing was written down", undefined, undefined],
  ["all is as it was left", store, undefined],
  ["the marker lags behind its store", { ...store, sequence: 8 }, undefined],
  ["the store has lost its last writes", { ...store, sequence: 12 }, { lastKnownSequence: 12, missing: 3 }],
  ["another store is in its place", { createdAt: 50, sequence: 4, waiting: 1 }, { lastKnownSequence: 4, missing: 1 }],
  [
    "… of which the server has all",
    { createdAt: 50, sequence: 4, waiting: 0 },
    { lastKnownSequence: 4, missing: undefined },
  ],
])("%s", (_, marker, loss) => {
  expect(lossBetween(marker, store)).toEqual(loss);
});

test.each([store, { createdAt: 1_763_625_600_000, sequence: 48_211, waiting: 305 }])(
  "a marker is read as it was written: %j",
  (marker) => {
    expect(parseMarker(markerText(marker))).toEqual(marker);
  },
);

test.each([undefined, "", "1 2", "1 2 3 4", "a b c", "1 -2 3", "{}"])("%j is no marker", (text) => {
  expect(parseMarker(text)).toBeUndefined();
});
