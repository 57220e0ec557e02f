/** S15: what is not on its way is not shown as such: here where the disk has refused the answer. */
import type { Tab } from "../machines/tab.ts";

/** Longer than what is left to do, and shorter than a wait. */
const SOON_MS = 40;

export function judgeFailedAnswer(tab: Tab): void {
  const { machine } = tab;
  const { world } = machine;
  world.timeline.after(SOON_MS, () => {
    const before = tab.pushes;
    // One push is over, with its answer, and the next has not begun.
    if (tab.state !== "alive" || tab.isPushing || tab.answersAtDisk > 0) return;
    void tab.client.operations.list({ state: "in_flight" }).then(
      (shown) => {
        if (shown.length > 0 && tab.pushes === before && !tab.isPushing && tab.state === "alive")
          world.violation("S15", `${tab.name} shows ${shown[0]?.id} in flight, and has asked nothing`);
      },
      () => {}, // its disk has failed once more
    );
  });
}
