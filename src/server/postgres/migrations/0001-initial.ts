/**
 * The first schema. It must not be edited once it is released: every change is a new migration.
 *
 * - The tenant is the first part of every key and every index [L9]. There are no foreign keys, sequences or triggers,
 *   so the tables can be distributed over machines by tenant.
 * - Ids are compared byte by byte (`collate "C"`), whatever the locale of the database.
 * - Documents are text and not jsonb, which reorders members, refuses U+0000 and returns another text [H9].
 * - Row-level security applies to all of it: a statement that forgot its tenant finds nothing and can write nothing.
 *   The policy reads the setting of the transaction, once per statement: every statement compares the tenant with its
 *   own parameter, and the planner then compares the parameter with the setting before it looks at a row. An empty
 *   setting, which is what a transaction leaves behind, counts as no tenant.
 */
const tenantTables = [
  ...["clocks", "epochs", "records", "departures", "operations", "commits", "devices", "incarnations"],
  ...["conflicts", "discrepancies"],
];

const isolation = tenantTables
  .map(
    (table) => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy tenant_only on ${table} using (tenant = nullif(current_setting('tillsync.tenant', true), ''));`,
  )
  .join("");

export const initial = {
  number: 1,
  name: "initial",
  sql: `
create table settings (
  name text collate "C" not null primary key,
  value text not null
);

-- The row that a transaction locks is there before there is a clock: then it has no epoch. It is rewritten by every
-- transaction, and with room in its page that costs no index anything.
create table clocks (
  tenant text collate "C" not null primary key,
  position bigint,
  last_id text collate "C",
  epoch text collate "C",
  epoch_ordinal bigint,
  epoch_start bigint,
  device_number bigint
) with (fillfactor = 20);

create table epochs (
  tenant text collate "C" not null,
  epoch text collate "C" not null,
  ordinal bigint not null,
  start bigint not null,
  at bigint not null,
  reason text not null,
  primary key (tenant, epoch)
);

create table records (
  tenant text collate "C" not null,
  collection text collate "C" not null,
  id text collate "C" not null,
  version bigint not null,
  created_version bigint not null,
  state text collate "C" not null,
  data text not null,
  counters text not null,
  fields text not null,
  scope text collate "C" not null,
  schema_version bigint not null,
  primary key (tenant, collection, id)
);
create index records_feed on records (tenant, collection, scope, version) where state <> 'stub';

create table departures (
  tenant text collate "C" not null,
  collection text collate "C" not null,
  id text collate "C" not null,
  scope text collate "C" not null,
  version bigint not null,
  primary key (tenant, collection, id, scope)
);
create index departures_feed on departures (tenant, collection, scope, version);

create table operations (
  tenant text collate "C" not null,
  id text collate "C" not null,
  device text collate "C" not null,
  incarnation text collate "C" not null,
  sequence bigint,
  collection text collate "C" not null,
  entity_id text collate "C" not null,
  "transaction" text collate "C",
  hash text not null,
  status text not null,
  version bigint not null,
  position bigint not null,
  feed_position bigint not null,
  revision bigint not null,
  superseded_by text collate "C",
  result text not null,
  operation text,
  received_at bigint not null,
  quarantine_open bigint not null,
  primary key (tenant, id)
);
create unique index operations_sequence on operations (tenant, incarnation, sequence) where sequence is not null;
create index operations_feed on operations (tenant, device, incarnation, feed_position);
create index operations_transaction on operations (tenant, "transaction") where "transaction" is not null;
create index operations_quarantine on operations (tenant, position) where quarantine_open = 1;

create table commits (
  tenant text collate "C" not null,
  id text collate "C" not null,
  position bigint not null,
  kind text not null,
  actor text,
  at bigint not null,
  primary key (tenant, id)
);

create table devices (
  tenant text collate "C" not null,
  id text collate "C" not null,
  name text,
  os text,
  app_version text,
  branch text,
  registered_at bigint not null,
  revoked_at bigint,
  last_push_at bigint,
  primary key (tenant, id)
);

create table incarnations (
  tenant text collate "C" not null,
  device text collate "C" not null,
  incarnation text collate "C" not null,
  number bigint not null,
  registered_at bigint not null,
  first_sequence bigint,
  last_sequence bigint not null,
  received bigint not null,
  primary key (tenant, device, incarnation)
);

create table conflicts (
  tenant text collate "C" not null,
  id text collate "C" not null,
  operation_id text collate "C" not null,
  collection text collate "C" not null,
  entity_id text collate "C" not null,
  fields text not null,
  client text not null,
  server text not null,
  scope text collate "C" not null,
  device text collate "C" not null,
  actor text,
  detected_at bigint not null,
  position bigint not null,
  settled text,
  is_settled bigint not null,
  primary key (tenant, id)
);
create index conflicts_operation on conflicts (tenant, operation_id);
create index conflicts_desk on conflicts (tenant, is_settled, position);

create table discrepancies (
  tenant text collate "C" not null,
  id text collate "C" not null,
  operation_id text collate "C" not null,
  product text collate "C" not null,
  expected double precision not null,
  available double precision not null,
  at bigint not null,
  position bigint not null,
  resolution text,
  primary key (tenant, id)
);
create index discrepancies_feed on discrepancies (tenant, position);
${isolation}
`,
} as const;
