/** Epochs, marks and cursors as strings. */

import type { Marks } from "../../protocol/types.ts";
import type { Logger } from "../../shared/logger.ts";
import type { EpochClaim } from "../decide/epoch.ts";
import type { Cursor, CursorClaim } from "../decide/pull.ts";
import type { Mark, MarksSeen } from "../decide/rows/marks.ts";
import type { Seal } from "./seal.ts";

/**
 * `ordinal.tag.random.mac`. By the tenant's tag, a till that sends another shop's token is not mistaken for a sign of a
 * restore. The tag is short, so two shops may have the same one: what is authenticated is the whole tenant (L9).
 */
const EPOCH = /^(\d{1,15})\.([0-9a-f]{8})\.([0-9a-z]{1,40})\.([0-9a-f]{32})$/;

export class Tokens {
  readonly #seal: Seal;
  readonly #logger: Logger;
  readonly #tags = new Map<string, string>();

  constructor(seal: Seal, logger: Logger) {
    this.#seal = seal;
    this.#logger = logger;
  }

  async makeEpoch(tenant: string, ordinal: number, random: string): Promise<string> {
    const body = `${ordinal}.${await this.#tag(tenant)}.${random.replaceAll("-", "").slice(-16)}`;
    return `${body}.${await this.#seal.mac(`epoch ${tenant} ${body}`)}`;
  }

  async readEpoch(tenant: string, epoch: string | undefined): Promise<EpochClaim> {
    if (epoch === undefined) return { kind: "none" };
    const match = EPOCH.exec(epoch);
    if (match === null) return { kind: "foreign" };
    const [, ordinal = "", tag = "", random = "", mac = ""] = match;
    if (tag !== (await this.#tag(tenant))) return { kind: "other_tenant" };
    if (!(await this.#seal.verify(`epoch ${tenant} ${ordinal}.${tag}.${random}`, mac))) return { kind: "foreign" };
    return { kind: "authentic", epoch, ordinal: Number(ordinal) };
  }

  async makeMark(tenant: string, { upTo, position, id }: Mark): Promise<string> {
    return this.#seal.seal(`mark ${tenant}`, [upTo, position, id]);
  }

  /** A mark that was not issued by this database counts as absent: it proves nothing, and skips nothing. */
  async readMarks(tenant: string, marks: Marks): Promise<MarksSeen> {
    const [push, pull] = await Promise.all([this.#mark(tenant, marks.push), this.#mark(tenant, marks.pull)]);
    return { push, pull };
  }

  async #mark(tenant: string, token: string | undefined): Promise<Mark | undefined> {
    if (token === undefined) return undefined;
    const content = await this.#seal.open(`mark ${tenant}`, token);
    if (content === undefined) {
      this.#logger.info("A mark was not issued by this database; it is ignored", { tenant });
      return undefined;
    }
    const [upTo, position, id] = content as [number, number, string];
    return { upTo, position, id };
  }

  async makeCursor(
    tenant: string,
    { epoch, collection, view, schemaVersion, position, remaining }: Cursor,
  ): Promise<string> {
    return this.#seal.seal(`cursor ${tenant}`, [epoch, collection, view, schemaVersion, position, remaining ?? null]);
  }

  async readCursor(tenant: string, token: string | null): Promise<CursorClaim> {
    if (token === null) return null;
    const content = await this.#seal.open(`cursor ${tenant}`, token);
    if (content === undefined) return "forged";
    const [epoch, collection, view, schemaVersion, position, remaining] = content as [
      string,
      string,
      string,
      number,
      number,
      number | null,
    ];
    return { epoch, collection, view, schemaVersion, position, remaining: remaining ?? undefined };
  }

  async #tag(tenant: string): Promise<string> {
    const known = this.#tags.get(tenant);
    if (known !== undefined) return known;
    const tag = (await this.#seal.sha256(tenant)).slice(0, 8);
    // Bounded: a server for many shops must not remember every one of them (L12).
    if (this.#tags.size >= 10_000) this.#tags.clear();
    this.#tags.set(tenant, tag);
    return tag;
  }
}
