/**
 * What the page stores beside the till's data: who this till is and what proves it, its tokens, whether it works offline by choice. One
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
  /** Proves to the server at each sign-in that it is this till. */
  readonly deviceSecret: string;
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
const SECRET_COPY = "pos-web.device-secret";
const SECRET_BYTES = 32;

/** The copy that was read last. Other tabs report changes. */
let kept: Partial<Kept> = {};
let database: IDBPDatabase<Layout> | undefined;
const listeners = new Set<() => void>();
const channel = new BroadcastChannel(DATABASE);

/** Must be called first. Rejects if the page has no storage. */
export async function openStored(): Promise<void> {
  database = await openDB<Layout>(DATABASE, 1, { upgrade: (db) => void db.createObjectStore(STORE) });
  await chooseDevice();
  await readAgain();
  copyDevice();
  channel.onmessage = () => {
    readAgain().then(tell, () => {}); // if a tab can't read any more, its till shows that
  };
}

export function deviceId(): string {
  return kept.device ?? "";
}

export function deviceSecret(): string {
  return kept.deviceSecret ?? "";
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
/** The server has registered this till with a secret of its own choice: the owner had released it. */
export async function rememberDeviceSecret(secret: string): Promise<void> {
  await keep("deviceSecret", secret);
  copyDevice();
}
export const rememberDeviceName = (name: string): Promise<void> => keep("deviceName", name);
export const setForcedOffline = (offline: boolean): Promise<void> => keep("forcedOffline", offline);

/** Calls the listener when something has changed, here or in another tab. */
export function onStoredChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/**
 * On disk before the first sign-in: if the answer to that is lost, the next one has the same secret. Of two tabs that open
 * at the same time, the second one finds what the first one has chosen.
 */
async function chooseDevice(): Promise<void> {
  const { store, done } = opened().transaction(STORE, "readwrite", { durability: "strict" });
  const [device, secret] = await Promise.all([store.get("device"), store.get("deviceSecret")]);
  if (device === undefined) {
    await store.put(localStorage.getItem(DEVICE_COPY) ?? `till-${crypto.randomUUID()}`, "device");
  }
  if (secret === undefined) await store.put(localStorage.getItem(SECRET_COPY) ?? newSecret(), "deviceSecret");
  await done;
}

/** For a store that is cleared alone: the server then notices that this device has lost something. */
function copyDevice(): void {
  localStorage.setItem(DEVICE_COPY, deviceId());
  localStorage.setItem(SECRET_COPY, deviceSecret());
}

/** 256 bits, in hexadecimal. */
function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
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
