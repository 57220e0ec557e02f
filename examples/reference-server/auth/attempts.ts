/** The limits on attempts to sign in, to register, and to get a recovery message. */
import { networkOf } from "../caller.ts";
import { ProblemError } from "../problem.ts";
import { type RateLimit, RateLimiter } from "./rate-limit.ts";

/** The limits on failed sign-ins, and on registrations. */
export interface AuthLimits {
  /** For one account from one address, or one /64 of IPv6: a person mistypes a password a few times. */
  readonly account: RateLimit;
  /**
   * For one account from everywhere. Generous: otherwise anyone who knows a cashier's email address could lock them
   * out.
   */
  readonly accountAnywhere: RateLimit;
  /** The part of `accountAnywhere` that one address can use up, or one /48 of IPv6. */
  readonly accountShare: RateLimit;
  /** For one address, or one /64 of IPv6. It may be that of a whole shop. */
  readonly address: RateLimit;
  /** Wrong codes of one account from everywhere. Strict: whoever gets here knows the password. */
  readonly secondFactor: RateLimit;
  readonly registration: RateLimit;
  /** Recovery messages to one person, and those that one address asks for. */
  readonly recovery: RateLimit;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const LIMITS: AuthLimits = {
  account: { attempts: 5, windowMs: MINUTE_MS },
  accountAnywhere: { attempts: 100, windowMs: HOUR_MS },
  accountShare: { attempts: 10, windowMs: HOUR_MS },
  address: { attempts: 50, windowMs: MINUTE_MS },
  secondFactor: { attempts: 10, windowMs: HOUR_MS },
  registration: { attempts: 20, windowMs: HOUR_MS },
  recovery: { attempts: 3, windowMs: HOUR_MS },
};

/** An attempt that was counted before anything was looked at. */
export interface Attempt {
  /** It was a good one, or nobody has looked at it. */
  forgive(): void;
}

type Guard = readonly [limiter: RateLimiter, key: string];

export class Attempts {
  readonly #limiters: Readonly<Record<keyof AuthLimits, RateLimiter>>;

  constructor(limits: Partial<AuthLimits>, now: () => number) {
    const entries = Object.entries({ ...LIMITS, ...limits });
    this.#limiters = Object.fromEntries(
      entries.map(([name, limit]) => [name, new RateLimiter(limit, now)]),
    ) as unknown as Readonly<Record<keyof AuthLimits, RateLimiter>>;
  }

  /** @throws ProblemError `throttled` */
  password(email: string, address: string): Attempt {
    const { account, accountAnywhere, accountShare, address: fromAddress } = this.#limiters;
    const here = `${email} ${networkOf(address, 64)}`;
    const around = `${email} ${networkOf(address, 48)}`;
    const anywhere = [accountAnywhere, email] as const;
    const guards: Guard[] = [
      [account, here],
      [fromAddress, networkOf(address, 64)],
    ];
    throttle([...guards, anywhere]);
    // An address is held back by its own limits. It must not use up those of all addresses: a person elsewhere could
    // not sign in for an hour.
    if (accountShare.waitFor(around) === 0) guards.push([accountShare, around], anywhere);
    // Counted before the password is checked, which takes a while: of a hundred concurrent guesses, five are checked.
    return counted(guards);
  }

  /** @throws ProblemError `throttled` */
  secondFactor(user: string): Attempt {
    return this.#take([[this.#limiters.secondFactor, user]]);
  }

  /** @throws ProblemError `throttled` */
  registration(address: string): Attempt {
    return this.#take([[this.#limiters.registration, networkOf(address, 64)]]);
  }

  /** @throws ProblemError `throttled` */
  recovery(email: string, address: string): Attempt {
    const { recovery, registration } = this.#limiters;
    return this.#take([
      [recovery, email],
      [registration, networkOf(address, 64)],
    ]);
  }

  #take(guards: readonly Guard[]): Attempt {
    throttle(guards);
    return counted(guards);
  }
}

/** @throws what `take` throws */
export function attemptOr(take: () => Attempt, onThrottled: () => void): Attempt {
  try {
    return take();
  } catch (error) {
    onThrottled();
    throw error;
  }
}

function counted(guards: readonly Guard[]): Attempt {
  for (const [limiter, key] of guards) limiter.count(key);
  return {
    forgive() {
      for (const [limiter, key] of guards) limiter.forgive(key);
    },
  };
}

function throttle(guards: readonly Guard[]): void {
  const waitMs = Math.max(...guards.map(([limiter, key]) => limiter.waitFor(key)));
  if (waitMs <= 0) return;
  throw new ProblemError("throttled", "Too many attempts", { "retry-after": String(Math.ceil(waitMs / 1_000)) });
}
