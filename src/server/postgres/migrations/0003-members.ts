/** The members of a transaction, by the device that sent them, and in their order: a page of them is read, not all. */
export const members = {
  number: 3,
  name: "members",
  sql: `
drop index operations_transaction;
create index operations_members on operations (tenant, "transaction", device, position) where "transaction" is not null;
`,
} as const;
