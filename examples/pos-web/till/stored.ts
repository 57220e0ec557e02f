/**
 * What the page stores beside the till's data: who this till is, its tokens, whether it works offline by choice. One
 * copy for all tabs, in a database of its own and flushed with each write: localStorage loses what was written in the
 * last seconds before a power cut.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

export interface StoredSession {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tenant: string;
  readonly branch: string;
  /** Who is signed in; `undefined` after a sign-out. The till's own session goes on: what was sold is still sent. */
  readonly userId: string | undefined;
  readonly email: string | undefined;
  /** Signed out here, and the server does not know yet: it could not be reached. */
  readonly owesSignOut?: boolean | undefined;
  /** The server gives this person their rights only with a second factor, which they have not set up. */
  readonly needsSecondFactor?: boolean | undefined;
}

interface Kept {
  readonly device: string;
  readonly deviceName: string;
  readonly session: StoredSession;
  readonly forcedOffline: boolean;
}
interface Layout extends DBSchema {
  kept: { key: keyof Kept; value: Kept[keyof Kept] };
}

const DATABASE = "pos-web";
const STORE = "kept";
const DEVICE_COPY = "pos-web.device";

/** The copy that was read last. Other tabs report changes. */
let kept: Partial<Kept> = {};
let database: IDBPDatabase<Layout> | undefined;
const listeners = new Set<() => void>();
const channel = new BroadcastChannel(DATABASE);

/** Must be called first. Rejects if the page has no storage. */
export async function openStored(): Promise<void> {
  database = await openDB<Layout>(DATABASE, 1, { upgrade: (db) => void db.createObjectStore(STORE) });
  await readAgain();
  if (kept.device === undefined) {
    // The copy is for a store that was cleared alone: the server then notices that this device has lost something.
    await keep("device", localStorage.getItem(DEVICE_COPY) ?? `till-${crypto.randomUUID()}`);
  }
  localStorage.setItem(DEVICE_COPY, deviceId());
  channel.onmessage = () => {
    readAgain().then(tell, () => {}); // if a tab can't read any more, its till shows that
  };
}

export function deviceId(): string {
  return kept.device ?? "";
}

export function deviceName(): string {
  return kept.deviceName ?? "Till 1";
}

export function readSession(): StoredSession | undefined {
  return kept.session;
}

/** Reads the stored copy, not this tab's: another tab may have renewed the tokens a moment ago. */
export async function freshSession(): Promise<StoredSession | undefined> {
  await readAgain();
  return kept.session;
}

export function isForcedOffline(): boolean {
  return kept.forcedOffline === true;
}

/** Resolves when it is on disk. */
export const writeSession = (session: StoredSession): Promise<void> => keep("session", session);
export const rememberDeviceName = (name: string): Promise<void> => keep("deviceName", name);
export const setForcedOffline = (offline: boolean): Promise<void> => keep("forcedOffline", offline);

/** Calls the listener when something has changed, here or in another tab. */
export function onStoredChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

async function keep<K extends keyof Kept>(key: K, value: Kept[K]): Promise<void> {
  const write = opened().transaction(STORE, "readwrite", { durability: "strict" });
  await Promise.all([write.store.put(value, key), write.done]);
  kept = { ...kept, [key]: value };
  channel.postMessage(key);
  tell();
}

async function readAgain(): Promise<void> {
  const read = opened().transaction(STORE);
  const [keys, values] = await Promise.all([read.store.getAllKeys(), read.store.getAll(), read.done]);
  kept = Object.fromEntries(keys.map((key, index) => [key, values[index]]));
}

function opened(): IDBPDatabase<Layout> {
  if (database === undefined) throw new Error("openStored() comes first");
  return database;
}

function tell(): void {
  for (const listener of listeners) listener();
}
