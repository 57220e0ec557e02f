/**
 * Where the package writes messages for developers. Messages and `fields` never have a shop's data or a token in them.
 * There is no `warn`: either a person must act, or none must.
 */
export interface Logger {
  /** Something that needs a person, and had no caller to throw an error to. */
  error(message: string, fields?: object): void;
  /** A change of state that a support ticket would ask for. */
  info(message: string, fields?: object): void;
  /** Each step. */
  debug(message: string, fields?: object): void;
}

/** The default: an embedded library writes nothing; its events report what an app must know. */
export const silentLogger: Logger = { error() {}, info() {}, debug() {} };
