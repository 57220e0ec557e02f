/** The collections that a server serves, with their policies as the decisions read them. */
import type { AnyResolver } from "../../../conflict/strategies.ts";
import type { Flag, VerdictIssue } from "../../../protocol/types.ts";
import type { ResolvedCollection } from "../../../schema/resolved.ts";
import type { JsonObject } from "../../../shared/json.ts";
import type { Principal } from "../../policy-types.ts";

export type Right = "read" | "create" | "update" | "delete" | "increment" | "force";

/** A policy without the types of its collection: what its functions return is checked at run time (policy.ts). */
export interface LoosePolicy {
  readonly scope: "tenant" | { readonly branch: (record: JsonObject) => unknown };
  readonly allow: Readonly<Partial<Record<Right, string>>>;
  readonly reads?: ((input: object) => unknown) | undefined;
  readonly conflict?: AnyResolver | undefined;
  readonly decide?: ((input: object) => unknown) | undefined;
}

export interface ServedCollection {
  readonly name: string;
  readonly resolved: ResolvedCollection;
  readonly policy: LoosePolicy;
}

export interface Catalog {
  readonly collections: ReadonlyMap<string, ServedCollection>;
  /** Referenced collections first. */
  readonly order: readonly string[];
  /** The scope of the people who decide at the desks. */
  readonly deskScope: string;
}

export interface PolicyEffect {
  readonly collection: string;
  readonly id: string;
  readonly create?: JsonObject | undefined;
  readonly patch?: Readonly<Record<string, unknown>> | undefined;
  readonly increment?: Readonly<Record<string, unknown>> | undefined;
}

/** What a policy returned, after the checks. */
export type PolicyVerdict =
  | {
      readonly outcome: "applied";
      readonly assigned: JsonObject;
      /** Fields that must not be stored. */
      readonly without: readonly string[];
      readonly flags: readonly Flag[];
      readonly discrepancies: readonly {
        readonly product: string;
        readonly expected: number;
        readonly available: number;
      }[];
      readonly effects: readonly PolicyEffect[];
    }
  | {
      readonly outcome: "rejected" | "quarantined";
      readonly code: string;
      readonly message: string;
      readonly issues?: readonly VerdictIssue[] | undefined;
    };

export function mayDo(served: ServedCollection, right: Right, principal: Principal): boolean {
  const rule = ruleOf(served, right);
  return rule === "everyone" || (rule !== "nobody" && principal.scopes.includes(rule));
}

/** Who may do it: a scope, "everyone" or "nobody". */
export function ruleOf({ policy: { allow } }: ServedCollection, right: Right): string {
  return (right === "increment" ? (allow.increment ?? allow.update) : allow[right]) ?? "nobody";
}

/** Whether the server has a collection of that name, and it holds facts. */
export function isFact({ collections }: Pick<Catalog, "collections">, collection: string): boolean {
  return collections.get(collection)?.resolved.kind === "fact";
}

/** Whether the principal decides at the desks. */
export function hasDesk({ deskScope }: Pick<Catalog, "deskScope">, { scopes }: Pick<Principal, "scopes">): boolean {
  return scopes.includes(deskScope);
}
