/**
 * Where the package speaks to developers.
 *
 * error: something that needs a person and had no caller to be thrown at. info: a change of state that a support ticket
 * would ask for. debug: each step. There is no "warn": either somebody must act, or nobody must. No record data, ever.
 */
export interface Logger {
  error(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  debug(message: string, fields?: object): void;
}

/** The default: an embedded library is quiet; its events carry what an app must know. */
export const silentLogger: Logger = { error() {}, info() {}, debug() {} };
