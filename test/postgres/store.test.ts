import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "../../src/store.ts";
import { describeStore } from "../contract/store.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

describeStore("PostgreSQL", async () => {
  const url = await server.createDatabase();
  return { open: () => openStore(url), close: async () => undefined };
});

test("a record is not replaced by an older one", async () => {
  const store = await openStore(await server.createDatabase());
  const keyv = await store.open("history");
  await keyv.set("ann", { revision: 2, text: "second" });
  await expect(keyv.set("ann", { revision: 2, text: "another second" })).rejects.toMatchObject({
    code: "superseded",
  });
  await keyv.set("ann", { revision: 3, text: "third" });
  expect(await keyv.get("ann")).toEqual({ revision: 3, text: "third" });
  await store.close();
});
