/** What is on the screen: signing in, the first sync, the till, or a fault. (view) */
import { storageFault } from "../model/fault-words.ts";
import { makeTill, type Till } from "../till/client.ts";
import { onStoredChange, readSession, type StoredSession } from "../till/stored.ts";
import type { View } from "./dom.ts";
import { fill } from "./dom.ts";
import { faultScreen } from "./fault-screen.ts";
import { firstSyncScreen } from "./first-sync.ts";
import { openShell } from "./shell.ts";
import { signInScreen } from "./sign-in.ts";

export interface Workplace {
  readonly till: Till;
  readonly session: StoredSession;
  /** Looks again at who is signed in, and shows what is theirs. The client goes on whoever it is: it sends what was sold. */
  reenter(): Promise<void>;
}

export function startApp(root: HTMLElement): void {
  let view: View | undefined;
  let open: { readonly till: Till; readonly name: string } | undefined;

  const show = (next: View) => {
    view?.close();
    view = next;
    fill(root, next.element);
  };

  const tillOf = async (session: StoredSession): Promise<Till> => {
    const name = `${session.tenant}-${session.branch}`;
    if (open?.name !== name) {
      await open?.till.close();
      open = { till: makeTill(session), name };
    }
    return open.till;
  };

  let entries = 0;
  const enter = async () => {
    entries += 1;
    const entry = entries;
    const session = readSession();
    if (session?.userId === undefined) {
      show(signInScreen({ signedIn: enter, till: open?.till }));
      // The till's own session goes on: it sends what was sold.
      if (session !== undefined) (await tillOf(session)).start().catch(() => {});
      return;
    }
    const till = await tillOf(session);
    try {
      await till.start();
      const place: Workplace = { till, session, reenter: enter };
      if (!(await hasArrived(till))) {
        show(firstSyncScreen(place));
        await till.firstSync({ collections: ["products", "categories"] });
      }
      if (entry !== entries) return; // somebody has signed in or out meanwhile
      show(await openShell(place));
    } catch (error) {
      show(faultScreen(storageFault(error), error));
    }
  };

  onStoredChange((what) => {
    const isIn = readSession()?.userId !== undefined;
    const showsTill = view?.element.dataset.screen === "till";
    if (what === "session" && isIn !== showsTill) void enter();
  });
  void enter();
}

/** Whether the catalogue has come once: then the till works with and without a network, and there is nothing to wait for. */
function hasArrived(till: Till): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = till.collections.products.watch({ limit: 1 }, ({ loading, complete }) => {
      if (loading) return;
      resolve(complete);
      queueMicrotask(() => stop());
    });
  });
}
