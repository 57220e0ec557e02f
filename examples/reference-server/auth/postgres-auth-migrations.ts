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
];
