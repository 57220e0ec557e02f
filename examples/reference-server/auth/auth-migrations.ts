/** The token issuer's own tables. Entries must not be edited once they are released: every change is a new entry. */
export const authMigrations: readonly string[] = [
  `
  create table auth_tenants (
    id text not null primary key,
    name text not null,
    created_at integer not null
  ) strict, without rowid;

  create table auth_users (
    id text not null primary key,
    tenant text not null references auth_tenants (id),
    email text not null unique,
    name text not null,
    password text not null,
    roles text not null,
    branch text,
    created_at integer not null
  ) strict, without rowid;

  create table auth_devices (
    tenant text not null references auth_tenants (id),
    id text not null,
    name text not null,
    seen_at integer not null,
    revoked_at integer,
    primary key (tenant, id)
  ) strict, without rowid;

  -- A sign-in. A device's session continues after the user has signed out.
  create table auth_sessions (
    id text not null primary key,
    tenant text not null references auth_tenants (id),
    user text references auth_users (id),
    device text,
    branch text,
    ended_at integer,
    expires_at integer not null
  ) strict, without rowid;
  create index auth_sessions_by_expiry on auth_sessions (expires_at);

  create table auth_refresh_tokens (
    hash text not null primary key,
    session text not null references auth_sessions (id) on delete cascade,
    issued_at integer not null,
    rotated_at integer
  ) strict, without rowid;
  create index auth_refresh_tokens_by_session on auth_refresh_tokens (session);
  `,
  `
  alter table auth_users add column disabled_at integer;
  -- Counts the changes of what proves who a person is: a sign-in that began before one does not complete.
  alter table auth_users add column stamp integer not null default 0;
  alter table auth_users add column code_digest text;
  alter table auth_users add column code_expires_at integer;
  alter table auth_users add column totp_secret text;
  alter table auth_users add column totp_confirmed_at integer;
  alter table auth_users add column totp_step integer not null default 0;

  create table auth_recovery_codes (
    user text not null references auth_users (id),
    digest text not null,
    primary key (user, digest)
  ) strict, without rowid;

  -- Who signed in: also known after they have signed out at a device, whose session continues.
  alter table auth_sessions add column begun_by text references auth_users (id);
  alter table auth_sessions add column started_at integer;
  -- However often its tokens are refreshed.
  alter table auth_sessions add column ends_at integer;
  update auth_sessions set begun_by = user, ends_at = expires_at;
  create index auth_sessions_by_person on auth_sessions (begun_by);
  `,
  `
  -- What a device was registered as: its branch, and a digest of the secret that only this device has. Devices of before
  -- have neither, until their next sign-in.
  alter table auth_devices add column branch text;
  alter table auth_devices add column secret text;
  -- When the owner let go of it: the next sign-in registers it anew.
  alter table auth_devices add column released_at integer;
  create index auth_sessions_by_device on auth_sessions (tenant, device);
  `,
];
