/** What an owner does about the people of their tenant. */
import { randomUUID } from "node:crypto";
import { ProblemError } from "../problem.ts";
import type { Role } from "../roles.ts";
import type { SecurityEventCode } from "../security-log.ts";
import { type AuthParts, changedMeanwhile, checkOwner, entryOf, type Person } from "./auth-parts.ts";
import type { NewUser, Page, User, UserChanges } from "./auth-store.ts";
import type { Credentials } from "./credentials.ts";
import { partOf } from "./lists.ts";
import { NO_PASSWORD } from "./passwords.ts";
import type { NewUserRequest } from "./requests.ts";
import { isEnrolled, NONE } from "./second-factors.ts";

/** The owner reads it to a person, or writes it down for them. */
const CODE_MS = 24 * 60 * 60_000;
const MANAGES = "Only the owner manages users";

export interface OneTimeCodeAnswer {
  readonly oneTimeCode: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** What an owner sees of a person. */
export interface UserAnswer {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly branch?: string | undefined;
  readonly isDisabled: boolean;
  readonly hasSecondFactor: boolean;
}

export class People {
  readonly #parts: AuthParts;
  readonly #credentials: Credentials;

  constructor(parts: AuthParts, credentials: Credentials) {
    this.#parts = parts;
    this.#credentials = credentials;
  }

  /** @param after empty, or the `next` of the part before */
  async list(owner: Person, after: string): Promise<{ readonly users: readonly UserAnswer[]; readonly next?: string }> {
    checkOwner(owner, MANAGES);
    const read = (page: Page) => this.#parts.store.users(owner.user.tenant, page);
    const { rows, next } = await partOf(read, after, ({ email }) => email);
    return { users: rows.map(answerOf), ...(next !== undefined && { next }) };
  }

  /** Without a password, the person gets a one-time code, with which they choose one. */
  async add(owner: Person, request: NewUserRequest): Promise<{ user: UserAnswer } & Partial<OneTimeCodeAnswer>> {
    checkOwner(owner, MANAGES);
    const { tenant } = owner.user;
    const { email, password } = request;
    if (password !== undefined) await this.#credentials.checkNew(password, { tenant, email });
    const issued = password === undefined ? this.#credentials.newCode(CODE_MS) : undefined;
    const user = await this.create(tenant, request, issued?.stored);
    this.#parts.securityLog(entryOf("user_added", owner, { target: user.id }));
    const answer = answerOf({ ...user, disabledAt: undefined, stamp: 0, secondFactor: undefined });
    return issued === undefined
      ? { user: answer }
      : { user: answer, oneTimeCode: issued.code, expiresAt: issued.stored.expiresAt };
  }

  async create(
    tenant: string,
    { email, password, name = email, roles, branch }: NewUserRequest,
    oneTimeCode?: NewUser["oneTimeCode"],
  ): Promise<NewUser> {
    const { store, passwords, now, announceUser } = this.#parts;
    const hash = password === undefined ? NO_PASSWORD : await passwords.hash(password);
    const user: NewUser = { id: randomUUID(), tenant, email, name, password: hash, roles, branch, oneTimeCode };
    if (!(await store.addUser(user, now()))) throw emailTaken();
    await announceUser({ ...user, isActive: true });
    return user;
  }

  /** The person's password stays good until the code is used: it may only be forgotten. */
  async issueCode(owner: Person, id: string): Promise<OneTimeCodeAnswer> {
    const user = await this.#another(owner, id);
    const { code, stored } = this.#credentials.newCode(CODE_MS);
    await this.#change(user, { oneTimeCode: stored });
    this.#log("recovery_code_issued", owner, user);
    return { oneTimeCode: code, expiresAt: stored.expiresAt };
  }

  /** Ends everything that the person began, at once, and lets them begin nothing more. */
  async disable(owner: Person, id: string): Promise<void> {
    const user = await this.#another(owner, id);
    await this.#change(user, { disabledAt: this.#parts.now(), oneTimeCode: null }, true);
    this.#log("user_disabled", owner, user);
    await this.#parts.announceUser({ ...user, isActive: false });
  }

  async enable(owner: Person, id: string): Promise<void> {
    const user = await this.#another(owner, id);
    await this.#change(user, { disabledAt: null });
    this.#log("user_enabled", owner, user);
    await this.#parts.announceUser({ ...user, isActive: true });
  }

  async signOut(owner: Person, id: string): Promise<void> {
    const user = await this.#another(owner, id);
    await this.#change(user, {}, true);
    this.#log("user_signed_out", owner, user);
  }

  /** For a person who has lost the app and the recovery codes. */
  async removeSecondFactor(owner: Person, id: string): Promise<void> {
    const user = await this.#another(owner, id);
    await this.#change(user, NONE, true);
    this.#log("second_factor_removed", owner, user);
  }

  /** Not the owner: whoever finds the owner's token must not get more by it, and somebody must be left to undo things. */
  async #another(owner: Person, id: string): Promise<User> {
    checkOwner(owner, MANAGES);
    if (id === owner.user.id) throw new ProblemError("forbidden", "Another owner has to do this for you");
    const user = await this.#parts.store.user(owner.user.tenant, id);
    if (user === undefined) throw new ProblemError("not_found", "There is no such user");
    return user;
  }

  async #change(user: User, changes: UserChanges, endsSessions = false): Promise<void> {
    const { store, now } = this.#parts;
    if (!(await store.changeUser(user, changes, now(), endsSessions ? {} : undefined))) throw changedMeanwhile();
  }

  #log(event: SecurityEventCode, owner: Person, { id }: User): void {
    this.#parts.securityLog(entryOf(event, owner, { target: id }));
  }
}

function answerOf(user: User): UserAnswer {
  const { id, email, name, roles, branch } = user;
  return {
    ...{ id, email, name, roles },
    ...(branch !== undefined && { branch }),
    isDisabled: user.disabledAt !== undefined,
    hasSecondFactor: isEnrolled(user),
  };
}

export function emailTaken(): ProblemError {
  return new ProblemError("email_taken", "A user with this email address exists");
}
