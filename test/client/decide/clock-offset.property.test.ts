/**
 * What a till knows of the server's clock after many answers, over connections of any quality, with clocks that are set
 * now and then.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addSample,
  bestOffset,
  bestSample,
  type OffsetSample,
  sampleOf,
} from "../../../src/client/decide/clock-offset.ts";
import { times } from "../../support/property.ts";

const HOUR = 3_600_000;
/**
 * An answer: how long after the previous one it was, how long it took, and at which moment of it the server read its
 * clock.
 */
const contact = fc.record({
  pause: fc.oneof(fc.nat(60_000), fc.nat(3 * HOUR)),
  roundTripMs: fc.oneof(fc.nat(200), fc.nat(20_000)),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
});
const offset = fc.integer({ min: -100 * HOUR, max: 100 * HOUR });

function heard(contacts: readonly { pause: number; roundTripMs: number; share: number; offset: number }[]) {
  let now = 0;
  let samples: readonly OffsetSample[] = [];
  for (const { pause, roundTripMs, share, offset } of contacts) {
    const asked = now + pause;
    now = asked + roundTripMs;
    samples = addSample(samples, sampleOf(asked + roundTripMs * share + offset, roundTripMs, now, now));
  }
  return samples;
}

test("a clock that nobody sets is known to half of the shortest way of the last eight within an hour", () => {
  fc.assert(
    fc.property(fc.array(contact, { minLength: 1, maxLength: 20 }), offset, (contacts, truth) => {
      const samples = heard(contacts.map((one) => ({ ...one, offset: truth })));
      let age = 0;
      const recent = contacts.toReversed().filter((one, index) => {
        const isRecent = index < 8 && age < HOUR;
        age += one.pause + one.roundTripMs;
        return isRecent;
      });
      const shortest = Math.min(...recent.map(({ roundTripMs }) => roundTripMs));
      expect(Math.abs(bestOffset(samples).offsetMs - truth)).toBeLessThanOrEqual(shortest / 2 + 0.5);
      expect(bestSample(samples)?.roundTripMs).toBe(shortest);
    }),
    times(500),
  );
});

test("a clock that somebody sets again and again is known to one and a half of the last way, at once", () => {
  const set = fc.tuple(contact, offset).map(([one, truth]) => ({ ...one, offset: truth }));
  fc.assert(
    fc.property(fc.array(set, { minLength: 1, maxLength: 20 }), (contacts) => {
      const last = contacts.at(-1)!;
      const { offsetMs, confidence } = bestOffset(heard(contacts));
      expect(Math.abs(offsetMs - last.offset)).toBeLessThanOrEqual(1.5 * last.roundTripMs + 0.5);
      expect(confidence).not.toBe("none");
    }),
    times(500),
  );
});

test("what is remembered is bounded, and of the last hour", () => {
  fc.assert(
    fc.property(fc.array(contact, { minLength: 1, maxLength: 30 }), (contacts) => {
      const samples = heard(contacts.map((one) => ({ ...one, offset: 0 })));
      expect(samples.length).toBeLessThanOrEqual(8);
      const last = samples.at(-1)!;
      expect(last.roundTripMs).toBe(contacts.at(-1)!.roundTripMs);
      for (const { takenAt } of samples) expect(last.takenAt - takenAt).toBeLessThan(HOUR);
    }),
    times(200),
  );
});
