/** A statement that runs is the one that was written, through any pooler: with sessions that are dealt out at random. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Connection as ConnectionOf, Statement } from "../../../src/server/postgres/connection.ts";
import type { PgClient, PgSubmittable } from "../../../src/server/postgres/driver.ts";
import { times } from "../../support/property.ts";

/** A session of the database: what is prepared in it. It answers a statement with its text and its values. */
class Session {
  readonly prepared = new Map<string, string>();

  /** Every message of a batch, as PostgreSQL treats it: after an error, nothing until the Sync. */
  run(batch: PgSubmittable): void {
    let failed = false;
    let bound: readonly (string | null)[] = [];
    const step = (work: () => void) => {
      if (!failed) work();
    };
    const refuse = (code: string, message: string) => {
      failed = true;
      batch.handleError(Object.assign(new Error(message), { code, severity: "ERROR" }));
    };
    batch.submit({
      stream: { cork() {}, uncork() {} },
      close: ({ name }) => step(() => this.prepared.delete(name)),
      parse: ({ name, text }) =>
        step(() => {
          if (name !== "" && this.prepared.has(name)) refuse("42P05", `${name} already exists`);
          else this.prepared.set(name, text);
        }),
      bind: ({ statement, values }) =>
        step(() => {
          const text = this.prepared.get(statement);
          if (text === undefined) refuse("26000", `${statement} does not exist`);
          else bound = [text, ...values];
        }),
      execute: () =>
        step(() => {
          batch.handleDataRow({ fields: bound });
          batch.handleCommandComplete({ text: "SELECT 1" });
        }),
      sync: () => {
        if (!failed) batch.handleReadyForQuery();
      },
    });
  }
}

type Connections = { readonly Connection: typeof ConnectionOf };

/** Each is the module as another process has it. */
async function processes(count: number): Promise<readonly Connections[]> {
  const loaded: Connections[] = [];
  for (let n = 0; n < count; n++) {
    vi.resetModules();
    loaded.push(await import("../../../src/server/postgres/connection.ts"));
  }
  return loaded;
}

const PROCESSES = 3;
const modules = await processes(PROCESSES);

/** Who runs which statements, in which session, and whether the one who pools changes the session at that moment. */
const turn = fc.record({
  process: fc.nat(PROCESSES - 1),
  session: fc.nat(2),
  texts: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
});

test("each statement is answered by its own text, or refused; and once refused, a retry is answered", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { maxLength: 40 }), fc.boolean(), async (turns, isNamed) => {
      const sessions = [new Session(), new Session(), new Session()];
      let current = sessions[0] as Session;
      const connections = modules.map(({ Connection }) => {
        const query = (batch: PgSubmittable) => current.run(batch);
        return new Connection({ query } as unknown as PgClient, { named: isNamed });
      });
      for (const { process, session, texts } of turns) {
        current = sessions[session] as Session;
        const connection = connections[process] as ConnectionOf;
        const statements = texts.map((n): Statement => ({ text: `select ${n}, $1`, values: [String(n)] }));
        const expected = statements.map(({ text, values }) => [[text, ...values]]);
        const answer = await connection.run(statements).catch((error) => {
          expect(error).toMatchObject({ code: "26000" });
          return connection.run(statements);
        });
        expect(answer).toEqual(expected);
      }
    }),
    times(300),
  );
});

test("through a direct connection each text is prepared once", async () => {
  const { Connection } = modules[0] as Connections;
  const session = new Session();
  const parsed: string[] = [];
  const { set } = session.prepared;
  session.prepared.set = (name: string, text: string) => {
    parsed.push(text);
    return set.call(session.prepared, name, text);
  };
  const query = (batch: PgSubmittable) => session.run(batch);
  const connection = new Connection({ query } as unknown as PgClient, { named: true });
  for (let round = 0; round < 3; round++) {
    await connection.run([
      { text: "select 1, $1", values: ["a"] },
      { text: "select 2, $1", values: ["b"] },
    ]);
  }
  expect(parsed).toEqual(["select 1, $1", "select 2, $1"]);
});
