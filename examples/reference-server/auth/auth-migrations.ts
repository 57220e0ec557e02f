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
];
