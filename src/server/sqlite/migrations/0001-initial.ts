/**
 * The first schema. It must not be edited once it is released: every change is a new migration.
 *
 * Rows that carry documents are in rowid tables: an index entry is then a number, and a b-tree without rowid would
 * spread the documents over its inner pages. Tables of small rows have no rowid.
 */
export const initial = {
  number: 1,
  name: "initial",
  sql: `
create table settings (
  name text not null primary key,
  value text not null
) strict, without rowid;

create table clocks (
  tenant text not null primary key,
  position integer not null,
  last_id text not null,
  epoch text not null,
  epoch_ordinal integer not null,
  epoch_start integer not null,
  device_number integer not null
) strict, without rowid;

create table epochs (
  tenant text not null,
  epoch text not null,
  ordinal integer not null,
  start integer not null,
  at integer not null,
  reason text not null,
  primary key (tenant, epoch)
) strict, without rowid;

create table records (
  tenant text not null,
  collection text not null,
  id text not null,
  version integer not null,
  created_version integer not null,
  state text not null,
  data text not null,
  counters text not null,
  fields text not null,
  scope text not null,
  schema_version integer not null,
  primary key (tenant, collection, id)
) strict;
-- With the state at its end the index alone answers which rows a page has: SQLite looks at it again, partial index or not.
create index records_feed on records (tenant, collection, scope, version, state) where state <> 'stub';

create table departures (
  tenant text not null,
  collection text not null,
  id text not null,
  scope text not null,
  version integer not null,
  primary key (tenant, collection, id, scope)
) strict, without rowid;
create index departures_feed on departures (tenant, collection, scope, version);

create table operations (
  tenant text not null,
  id text not null,
  device text not null,
  incarnation text not null,
  sequence integer,
  collection text not null,
  entity_id text not null,
  "transaction" text,
  hash text not null,
  status text not null,
  version integer not null,
  position integer not null,
  feed_position integer not null,
  revision integer not null,
  superseded_by text,
  result text not null,
  operation text,
  received_at integer not null,
  quarantine_open integer not null,
  primary key (tenant, id)
) strict;
create unique index operations_sequence on operations (tenant, incarnation, sequence) where sequence is not null;
create index operations_feed on operations (tenant, device, incarnation, feed_position);
create index operations_transaction on operations (tenant, "transaction") where "transaction" is not null;
create index operations_quarantine on operations (tenant, position) where quarantine_open = 1;

create table commits (
  tenant text not null,
  id text not null,
  position integer not null,
  kind text not null,
  actor text,
  at integer not null,
  primary key (tenant, id)
) strict, without rowid;

create table devices (
  tenant text not null,
  id text not null,
  name text,
  os text,
  app_version text,
  branch text,
  registered_at integer not null,
  revoked_at integer,
  last_push_at integer,
  primary key (tenant, id)
) strict, without rowid;

create table incarnations (
  tenant text not null,
  device text not null,
  incarnation text not null,
  number integer not null,
  registered_at integer not null,
  first_sequence integer,
  last_sequence integer not null,
  received integer not null,
  primary key (tenant, device, incarnation)
) strict, without rowid;

create table conflicts (
  tenant text not null,
  id text not null,
  operation_id text not null,
  collection text not null,
  entity_id text not null,
  fields text not null,
  client text not null,
  server text not null,
  scope text not null,
  device text not null,
  actor text,
  detected_at integer not null,
  position integer not null,
  settled text,
  is_settled integer not null,
  primary key (tenant, id)
) strict;
create index conflicts_operation on conflicts (tenant, operation_id);
create index conflicts_desk on conflicts (tenant, is_settled, position);

create table discrepancies (
  tenant text not null,
  id text not null,
  operation_id text not null,
  product text not null,
  expected real not null,
  available real not null,
  at integer not null,
  position integer not null,
  resolution text,
  primary key (tenant, id)
) strict, without rowid;
create index discrepancies_feed on discrepancies (tenant, position);
`,
} as const;
