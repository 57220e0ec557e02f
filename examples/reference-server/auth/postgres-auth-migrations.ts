/** The same tables in PostgreSQL. Entries must not be edited once they are released: every change is a new entry. */
export const postgresAuthMigrations: readonly string[] = [
  `
  create table auth_tenants (
    id text not null primary key,
    name text not null,
    created_at bigint not null
  );

  create table auth_users (
    id text not null primary key,
    tenant text not null references auth_tenants (id),
    email text collate "C" not null unique,
    name text not null,
    password text not null,
    roles text not null,
    branch text,
    created_at bigint not null
  );

  create table auth_devices (
    tenant text not null references auth_tenants (id),
    id text not null,
    name text not null,
    seen_at bigint not null,
    revoked_at bigint,
    primary key (tenant, id)
  );

  -- A sign-in. A device's session continues after the user has signed out.
  create table auth_sessions (
    id text not null primary key,
    tenant text not null references auth_tenants (id),
    "user" text references auth_users (id),
    device text,
    branch text,
    ended_at bigint,
    expires_at bigint not null
  );
  create index auth_sessions_by_expiry on auth_sessions (expires_at);

  create table auth_refresh_tokens (
    hash text not null primary key,
    session text not null references auth_sessions (id) on delete cascade,
    issued_at bigint not null,
    rotated_at bigint
  );
  create index auth_refresh_tokens_by_session on auth_refresh_tokens (session);

  -- One row: the key with which every server signs, created with the database.
  create table auth_keys (
    name text not null primary key,
    secret text not null
  );
  `,
  `
  alter table auth_users
    add column disabled_at bigint,
    -- Counts the changes of what proves who a person is: a sign-in that began before one does not complete.
    add column stamp bigint not null default 0,
    add column code_digest text,
    add column code_expires_at bigint,
    add column totp_secret text,
    add column totp_confirmed_at bigint,
    add column totp_step bigint not null default 0;

  create table auth_recovery_codes (
    "user" text not null references auth_users (id),
    digest text not null,
    primary key ("user", digest)
  );

  alter table auth_sessions
    -- Who signed in: also known after they have signed out at a device, whose session continues.
    add column begun_by text references auth_users (id),
    add column started_at bigint,
    -- However often its tokens are refreshed.
    add column ends_at bigint;
  update auth_sessions set begun_by = "user", ends_at = expires_at;
  create index auth_sessions_by_person on auth_sessions (begun_by);
  `,
  `
  alter table auth_devices
    -- What a device was registered as: its branch, and a digest of the secret that only this device has. Devices of
    -- before have neither, until their next sign-in.
    add column branch text,
    add column secret text,
    -- When the owner let go of it: the next sign-in registers it anew.
    add column released_at bigint;
  create index auth_sessions_by_device on auth_sessions (tenant, device);
  `,
];
