import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "../../src/store/store.ts";
import { describeStore } from "../../src/testing/contracts/store.ts";
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

test("many records are read at once, in order; where that fails they are not taken for missing", async () => {
  const store = await openStore(await server.createDatabase());
  const keyv = await store.open("web");
  await keyv.set("a", 1);
  await keyv.set("b\0\\", 2);
  expect(await keyv.getMany(["b\0\\", "none", "a"])).toEqual([2, undefined, 1]);
  await store.postgres?.query("alter table colloquy.records rename to away");
  await expect(keyv.getMany(["a"])).rejects.toThrow();
  await store.close();
});
