/** What a new user reads at the first start. The commands work unchanged in any POSIX shell. */
import { randomBytes, randomUUID } from "node:crypto";
import { DEMO } from "./seed.ts";

export function welcome(url: string): string {
  const { email, cashier, password } = DEMO;
  return `
A demo shop to try:   ${email} and ${cashier}, password ${password}

# Sign in as a till
${commands(url).join("\n")}

Run the push again: the server returns the stored results, and nothing is sold twice.
Roles, policies and how to mount it in your own app: examples/reference-server/README.md. The protocol: docs/protocol.md.
`;
}

/** The commands: sign in, register, push a sale, pull. */
export function commands(url: string): readonly string[] {
  const device = `curl-${randomUUID().slice(0, 8)}`;
  const incarnation = randomUUID();
  const post = (path: string) =>
    `curl -sS ${url}${path} -H "authorization: Bearer $TOKEN" -H 'tillsync-protocol: 1' -H "tillsync-request-id: $(date +%s)" -H 'content-type: application/json'`;
  // Of its own: the commands can be run again.
  const secret = randomBytes(32).toString("base64url");
  const login = { email: DEMO.email, password: DEMO.password, device: { id: device, name: "My first till", secret } };
  const ref = { id: device, incarnation };
  return [
    `TOKEN=$(curl -sS ${url}/auth/login -H 'content-type: application/json' -d '${JSON.stringify(login)}' | ${pick("accessToken")})`,
    `EPOCH=$(${post("/sync/register")} -d '${JSON.stringify({ device: ref, schemaVersion: 1 })}' | ${pick("epoch")})`,
    "",
    "# Sell two bottles of cola: the sale, its payment and the stock, all together or not at all",
    `${post("/sync/push")} -w '\\n' -d '${withEpoch({ device: ref, marks: {}, operations: sale() })}'`,
    "",
    "# Pull what every till now sees",
    `${post("/sync/pull")} -w '\\n' -d '${withEpoch({ device: ref, marks: {}, schemaVersion: 1, collections: { products: null, sales: null } })}'`,
  ];
}

function sale(): readonly object[] {
  const at = Date.now();
  const saleId = randomUUID();
  const head = {
    transaction: randomUUID(),
    schemaVersion: 1,
    branch: DEMO.branch,
    actor: "curl",
    occurredAt: new Date(at).toISOString(),
  };
  const items = [{ lineId: "1", productId: "cola", name: "Cola 500 ml", quantity: 2, unitPriceCents: 150 }];
  return [
    {
      ...head,
      id: randomUUID(),
      sequence: 1,
      collection: "sales",
      entityId: saleId,
      action: "create",
      data: { branchId: DEMO.branch, items, totalCents: 300, soldAt: at },
    },
    {
      ...head,
      id: randomUUID(),
      sequence: 2,
      collection: "payments",
      entityId: randomUUID(),
      action: "create",
      data: { branchId: DEMO.branch, saleId, method: "cash", amountCents: 300, paidAt: at },
    },
    {
      ...head,
      id: randomUUID(),
      sequence: 3,
      collection: "products",
      entityId: "cola",
      action: "increment",
      by: { stock: -2 },
    },
  ];
}

/** Closes the quotes and opens them again where the shell inserts the epoch. */
function withEpoch(body: object): string {
  return JSON.stringify({ epoch: "EPOCH", ...body }).replace('"EPOCH"', `"'"$EPOCH"'"`);
}

/** Extracts one member of a response, with tools that every shell has. */
function pick(member: string): string {
  return `sed -n 's/.*"${member}":"\\([^"]*\\)".*/\\1/p'`;
}
