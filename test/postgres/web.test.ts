import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createKeys } from "../support/local.ts";
import { createAccounts } from "../../adapters/web/index.ts";
import { openStore } from "../../src/store/store.ts";
import { openRecordStore } from "../../src/program/web-chat.ts";
import { freePort } from "../support/port.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { runProgram } from "../support/program.ts";
import { flat, surroundings } from "../support/surroundings.ts";
import { until } from "../../src/testing/until.ts";
import { createWebPeople } from "../support/web-people.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

test("an answer grows on the page of one process while another writes it; both may be killed", async () => {
  const answer = `${Array.from({ length: 3000 }, (_, n) => `word${n} `).join("")}END`;
  const around = await surroundings({ reply: { text: answer, pieces: 60, delayMs: 60 } });
  const ports = [await freePort(), await freePort()];
  let port = ports[0];
  const env = { ...around.onWeb, STORE_URL: await server.createDatabase() };
  const start = (role: string, at: number | undefined) =>
    runProgram(["start", "--role", role], { ...env, HTTP_PORT: String(at ?? 0) });
  const [web, worker] = [start("web", ports[0]), start("worker", undefined)];
  await Promise.all([web.ready(), worker.ready()]);
  const people = createWebPeople(() => `http://127.0.0.1:${port}`, createKeys(env.STORE_URL));
  onTestFinished(() => people.close());
  const seen = () => flat(people.shows("ann"));

  void people.say("ann", "tell me");
  await until(() => seen().includes("word100 "), "a growing answer from the other process");
  expect(seen()).not.toContain("END");
  worker.signal("SIGKILL");
  await start("worker", undefined).ready();
  // Another process serves the page from now on; users stay signed in.
  web.signal("SIGKILL");
  await start("web", ports[1]).ready();
  port = ports[1];
  await until(() => seen() === flat([answer]), "the whole answer", 60_000);
  void people.say("ann", "and then?");
  await until(() => seen() === flat([answer, answer]), "the next answer", 30_000);
  expect(around.service.requests.at(-1)?.messages.map(({ role }) => role)).toEqual([
    "system",
    "user",
    "assistant",
    "user",
  ]);
}, 120_000);

test("of several processes that are shown a single-use link at once, one lets somebody in", async () => {
  const url = await server.createDatabase();
  const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(url)));
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
  const all = await Promise.all(stores.map(async (store) => createAccounts(await openRecordStore(store))));
  for (let round = 0; round < 10; round += 1) {
    const key = (await all[0]?.add("Ann", "link", { once: true })) ?? "";
    const found = await Promise.all(
      all.map(async (accounts) => ({ accounts, link: await accounts.find(key, "link") })),
    );
    const used = await Promise.all(found.map(async ({ accounts, link }) => link && accounts.use(link)));
    expect(used.filter(Boolean)).toHaveLength(1);
  }
  // And they all have one name for the cookie.
  expect(new Set(await Promise.all(all.map((accounts) => accounts.site()))).size).toBe(1);
});
