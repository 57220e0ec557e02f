/**
 * Who sent an operation, and from which branch, as the token said; and how much a device holds in quarantine, which an
 * index answers alone. The newest incarnations of a device are found without looking at all of them.
 */
export const senders = {
  number: 2,
  name: "senders",
  sql: `
alter table operations add column sent_by text;
alter table operations add column sent_from text;
alter table operations add column held_bytes integer not null default 0;
create index operations_held on operations (tenant, device, held_bytes) where quarantine_open = 1;
create index incarnations_newest on incarnations (tenant, device, number);
`,
} as const;
