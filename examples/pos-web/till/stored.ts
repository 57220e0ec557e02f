/** What the page keeps beside the till's data: who this till is, and its tokens. Shared by all tabs. (till) */

export interface StoredSession {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tenant: string;
  readonly branch: string;
  /** Who is at the till. After a sign-out nobody, and the till's own session goes on: what was sold is still sent. */
  readonly userId: string | undefined;
  readonly email: string | undefined;
}

const DEVICE = "pos-web.device";
const DEVICE_NAME = "pos-web.device-name";
const SESSION = "pos-web.session";
const FORCED_OFFLINE = "pos-web.forced-offline";

export function deviceId(): string {
  const known = localStorage.getItem(DEVICE);
  if (known !== null) return known;
  const made = `till-${crypto.randomUUID()}`;
  localStorage.setItem(DEVICE, made);
  return made;
}

export function deviceName(): string {
  return localStorage.getItem(DEVICE_NAME) ?? "Till 1";
}

export function rememberDeviceName(name: string): void {
  localStorage.setItem(DEVICE_NAME, name);
}

export function readSession(): StoredSession | undefined {
  try {
    const session = JSON.parse(localStorage.getItem(SESSION) ?? "") as StoredSession;
    return typeof session.refreshToken === "string" ? session : undefined;
  } catch {
    return undefined;
  }
}

export function writeSession(session: StoredSession): void {
  localStorage.setItem(SESSION, JSON.stringify(session));
}

export function isForcedOffline(): boolean {
  return localStorage.getItem(FORCED_OFFLINE) !== null;
}

export function setForcedOffline(offline: boolean): void {
  if (offline) localStorage.setItem(FORCED_OFFLINE, "yes");
  else localStorage.removeItem(FORCED_OFFLINE);
}

/** Another tab has changed something. */
export function onStoredChange(listener: (what: "session" | "forced_offline") => void): void {
  addEventListener("storage", ({ key }) => {
    if (key === SESSION || key === null) listener("session");
    if (key === FORCED_OFFLINE || key === null) listener("forced_offline");
  });
}
