/** The hand-written types and the schemas say the same, in both directions. The compiler is the test. */
import { expectTypeOf, test } from "vitest";
import type * as z from "zod/mini";
import type { Problem } from "../../src/protocol/codes.ts";
import type * as desks from "../../src/protocol/desks.ts";
import type { operationSchema } from "../../src/protocol/operation.ts";
import type { pullRequestSchema, pullResponseSchema } from "../../src/protocol/pull.ts";
import type { pushFrameSchema, pushResponseSchema } from "../../src/protocol/push.ts";
import type { registerRequestSchema, registerResponseSchema } from "../../src/protocol/register.ts";
import type { finalResultSchema, resultSchema } from "../../src/protocol/results.ts";
import type {
  healthResponseSchema,
  pokeSchema,
  problemSchema,
  timeResponseSchema,
} from "../../src/protocol/server-messages.ts";
import type * as types from "../../src/protocol/types.ts";
import type { JsonObject } from "../../src/shared/json.ts";

/** The one difference that is meant: zod's outputs are writable, the messages are not. */
type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : JsonObject extends T
    ? T
    : T extends object
      ? { readonly [K in keyof T]: Frozen<T[K]> }
      : T;
type Of<S extends z.ZodMiniType> = Frozen<z.output<S>>;
type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : "the type is wider") : "the schema is wider";

test("each schema gives exactly the type of its message", () => {
  expectTypeOf<Mutual<Of<typeof operationSchema>, types.WireOperation>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof resultSchema>, types.OperationResult>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof finalResultSchema>, types.FinalResult>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof registerRequestSchema>, types.RegisterRequest>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof registerResponseSchema>, types.RegisterResponse>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof pushFrameSchema>, types.PushFrame>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof pushResponseSchema>, types.PushResponse>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof pullRequestSchema>, types.PullRequest>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof pullResponseSchema>, types.PullResponse>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof healthResponseSchema>, types.HealthResponse>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof timeResponseSchema>, types.TimeResponse>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof pokeSchema>, types.Poke>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof problemSchema>, Problem>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof desks.deskQuerySchema>, types.DeskQuery>>().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof desks.conflictsResponseSchema>, types.ConflictsResponse>>().toEqualTypeOf<true>();
  expectTypeOf<
    Mutual<Of<typeof desks.resolveConflictRequestSchema>, types.ResolveConflictRequest>
  >().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof desks.quarantineResponseSchema>, types.QuarantineResponse>>().toEqualTypeOf<true>();
  expectTypeOf<
    Mutual<Of<typeof desks.discardQuarantinedRequestSchema>, types.DiscardQuarantinedRequest>
  >().toEqualTypeOf<true>();
  expectTypeOf<Mutual<Of<typeof desks.revisedResponseSchema>, types.RevisedResponse>>().toEqualTypeOf<true>();
  // Whatever a push frame carries may be a whole operation, too.
  expectTypeOf<types.PushRequest["operations"][number]>().toExtend<{ readonly id: string }>();
});

test("the comparison itself sees a difference", () => {
  expectTypeOf<Mutual<{ a: string }, { a: string; b: number }>>().toEqualTypeOf<"the schema is wider">();
  expectTypeOf<Mutual<{ a: string; b: number }, { a: string }>>().toEqualTypeOf<"the type is wider">();
});
