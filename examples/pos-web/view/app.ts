/** What is on the screen: signing in, the first sync, the till, or a fault. */
import { storageFault } from "../model/fault-words.ts";
import { makeTill, obeySwitch, type Till } from "../till/client.ts";
import { onStoredChange, openStored, readSession, type StoredSession } from "../till/stored.ts";
import { fill, type View } from "./dom.ts";
import { faultScreen } from "./fault-screen.ts";
import { firstSyncScreen } from "./first-sync.ts";
import { openShell } from "./shell.ts";
import { signInScreen } from "./sign-in.ts";

export interface Workplace {
  readonly till: Till;
  readonly session: StoredSession;
}

export async function startApp(root: HTMLElement): Promise<void> {
  let view: View | undefined;
  let open: { readonly till: Till; readonly name: string } | undefined;
  let shownTo: string | undefined;

  const show = (next: View) => {
    view?.close();
    view = next;
    fill(root, next.element);
  };

  /** One client for each shop. It runs whoever is signed in, and also when no one is: it sends what was sold. */
  const tillOf = async (session: StoredSession): Promise<Till> => {
    const name = `${session.tenant}-${session.branch}`;
    if (open?.name !== name) {
      await open?.till.close();
      open = { till: makeTill(session), name };
    }
    await open.till.start();
    return open.till;
  };

  const enter = async () => {
    const session = readSession();
    const who = whoIs(session);
    shownTo = who;
    try {
      if (session?.userId === undefined) {
        show(signInScreen(open?.till));
        if (session !== undefined) await tillOf(session);
        return;
      }
      const till = await tillOf(session);
      const place: Workplace = { till, session };
      if (!(await hasArrived(till))) {
        show(firstSyncScreen(place));
        await till.firstSync({ collections: ["products", "categories"] });
      }
      const counter = await openShell(place);
      if (shownTo === who)
        show(counter); // otherwise a person has signed in or out meanwhile
      else counter.close();
    } catch (error) {
      show(faultScreen(storageFault(error), error));
    }
  };

  try {
    await openStored();
  } catch (error) {
    show(faultScreen(storageFault(error), error));
    return;
  }
  onStoredChange(() => {
    if (open !== undefined) obeySwitch(open.till);
    if (whoIs(readSession()) !== shownTo) void enter();
  });
  await enter();
}

/** Identifies the person and the shop, or no one. It doesn't change when tokens are renewed. */
function whoIs(session: StoredSession | undefined): string {
  return session?.userId === undefined ? "" : `${session.tenant} ${session.branch} ${session.userId}`;
}

/** Whether the catalogue was pulled once: from then on the till works with and without a network. */
function hasArrived(till: Till): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = till.collections.products.watch({ limit: 1 }, ({ loading, complete }) => {
      if (loading) return;
      resolve(complete);
      queueMicrotask(() => stop());
    });
  });
}
