/** One line of JSON per event, on standard error. No payloads, no tokens, no query strings. */
import type { Logger } from "tillsync";

export const LOG_LEVELS = ["silent", "error", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function jsonLogger(level: LogLevel, write: (line: string) => void = writeToStderr): Logger {
  const at = (name: LogLevel) => {
    if (LOG_LEVELS.indexOf(name) > LOG_LEVELS.indexOf(level)) return () => {};
    return (message: string, fields: object = {}) => {
      write(`${JSON.stringify({ time: new Date().toISOString(), level: name, message, ...fields })}\n`);
    };
  };
  return { error: at("error"), info: at("info"), debug: at("debug") };
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}
