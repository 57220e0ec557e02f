/** Lines that a decision wanted logged, after it was committed: a run that was thrown away has not happened. */
import type { Logger } from "../../shared/logger.ts";
import type { LogLine } from "../decide/rows/working-set.ts";

export function logAll(logger: Logger, lines: readonly LogLine[], context: object): void {
  for (const { level, message, fields } of lines) logger[level](message, { ...context, ...fields });
}
