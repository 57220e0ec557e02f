/** Something that a liar says. A new one is a line in one of the files here; the coverage report asks for it. */
import type { Draw } from "../engine/draw.ts";
import type { Liar } from "../machines/liar.ts";

export interface Lie {
  readonly kind: string;
  /** 0: it is not drawn, since it only makes sense where plan.ts plans it. */
  readonly weight: number;
  /** Answers what it said, for the trace; `undefined` where there was no occasion for it. */
  tell(liar: Liar, draw: Draw): Promise<string | undefined>;
}
