/** Every id of every request, swapped across tenants and across branches (L9). */
import { expect, test } from "vitest";
import { HEADERS } from "../../src/protocol/constants.ts";
import {
  deskQuerySchema,
  discardQuarantinedRequestSchema,
  resolveConflictRequestSchema,
} from "../../src/protocol/desks.ts";
import { operationSchema } from "../../src/protocol/operation.ts";
import { pullRequestSchema } from "../../src/protocol/pull.ts";
import { pushFrameSchema } from "../../src/protocol/push.ts";
import { registerRequestSchema } from "../../src/protocol/register.ts";
import { endpoints } from "../../src/server/http/endpoints.ts";
import { memoryStore } from "../../src/server/memory/index.ts";
import { describeSwaps } from "./support/describe-swaps.ts";
import { membersOf } from "./support/fields.ts";
import { nobodys, swaps } from "./support/swaps.ts";

/** What each endpoint that asks for a token reads of a request, besides its path and headers. */
const schemas: Readonly<Record<string, readonly unknown[]>> = {
  "POST register": [registerRequestSchema],
  "POST push": [pushFrameSchema],
  "POST pull": [pullRequestSchema],
  "GET live": [],
  "GET conflicts": [deskQuerySchema],
  "POST conflicts/*/resolve": [resolveConflictRequestSchema],
  "GET quarantine": [deskQuerySchema],
  "POST quarantine/*/release": [],
  "POST quarantine/*/discard": [discardQuarantinedRequestSchema],
};

function members(): readonly string[] {
  const inRequests = endpoints
    .filter(({ isOpen }) => isOpen !== true)
    .flatMap(({ method, path }) => {
      const name = `${method} ${path.join("/")}`;
      const inPath = path.filter((part) => part === "*").map(() => `${name} *`);
      const inBody = (schemas[name] ?? [`no schema for ${name}`]).flatMap((schema) => membersOf(schema));
      return [...inPath, ...inBody.map((member) => `${name} ${member}`)];
    });
  const inOperations = membersOf(operationSchema).map((member) => `POST push operations[].${member}`);
  const inHeaders = Object.values(HEADERS).map((header) => `header ${header}`);
  // The frame of a push takes its operations as they come: they have a schema of their own.
  return [...inRequests.filter((member) => member !== "POST push operations[]"), ...inOperations, ...inHeaders];
}

test("every member that a request can have is swapped, or is said to name nothing of anybody's", () => {
  expect([...Object.keys(swaps), ...nobodys].sort()).toEqual([...members()].sort());
});

test("across tenants no answer tells what is somebody's from what is made up", () => {
  const telling = Object.entries(swaps).filter(([, variants]) =>
    variants.some(({ tenants }) => tenants.tells === true),
  );
  expect(telling).toEqual([]);
});

test("what reads the members sees one that is new", () => {
  expect(membersOf(operationSchema)).toContain("after[]");
  expect(membersOf(registerRequestSchema)).toContain("device.incarnation");
  expect(() => membersOf({})).toThrow("Expected a schema");
});

describeSwaps("the model of the stores", async () => {
  const store = memoryStore();
  return {
    store,
    rowsOf: async (tenant) => {
      const { clock, ...tables } = store.snapshot().tenants[tenant] ?? {};
      return { clock: [clock], ...(tables as Record<string, readonly unknown[]>) };
    },
    close: () => store.close(),
  };
});
