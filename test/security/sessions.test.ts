import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { RecordStore } from "../../adapters/web/index.ts";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/port.ts";
import { runProgram } from "../support/program.ts";
import { eventsIn, listen, openSite } from "../support/site.ts";
import { until } from "../../src/testing/until.ts";

test("nothing in the store lets its reader in", async () => {
  const file = join(temporaryFolder(), "store.sqlite");
  const site = await openSite({ file });
  const ann = await site.enter({ name: "Ann" });
  const link = await site.accounts.add("Bob", "link");
  const api = await site.accounts.add("Bob", "api");
  const bob = await site.enter({ key: link });
  await site.store.backup(`${file}.copy`);
  const copy = readFileSync(`${file}.copy`, "latin1");
  const ids = [ann, bob].map((cookie) => cookie.replace(/^[^=]*=/, "").replace(/\..*/, ""));
  for (const secret of [...ids, link, api]) {
    expect(secret.length).toBeGreaterThan(20);
    expect(copy).not.toContain(secret);
  }
  // Nor anything of which a cookie could be made: each text of the store is tried as one, under its name.
  const [name] = bob.split("=");
  const texts = new Set(
    [...copy.matchAll(/[\w.-]{8,}/g)].flatMap(([text]) => [text, text.replace(/^session:/, "")]),
  );
  expect(texts.size).toBeGreaterThan(5);
  for (const text of texts)
    expect((await site.ask("/api/me", { cookie: `${name}=${text}` })).status, text).toBe(401);
});

test("the secret and the sessions of earlier versions, which stood there in the clear, are taken away", async () => {
  const file = join(temporaryFolder(), "store.sqlite");
  const before = await openSite({ file });
  await before.recordStore.set("secret", { revision: 1, secret: "s3cr3t-of-an-earlier-version" });
  await before.recordStore.set("session:plain-id-of-a-session-00", { user: "Ann", at: Date.now() });
  await before.recordStore.set("used:session:of-nobody", { at: Date.now() });
  const once = await before.accounts.add("Bob", "link", { once: true });
  const bob = await before.enter({ key: once });
  const site = await openSite({ file });
  await until(async () => (await site.recordStore.get("used:session:of-nobody")) === undefined);
  expect(await site.recordStore.keys("session:")).toHaveLength(1);
  expect(await site.recordStore.get("secret")).toBeUndefined();
  const name = `colloquy_${await site.accounts.site()}`;
  for (const id of ["plain-id-of-a-session-00", "plain-id-of-a-session-00.c2lnbmF0dXJl"])
    expect((await site.ask("/api/me", { cookie: `${name}=${id}` })).status).toBe(401);
  // What is in use stays, and what is used up.
  expect((await site.ask("/api/me", { cookie: bob })).status).toBe(200);
  expect((await site.tries({ key: once })).status).toBe(403);
});

test("signing out in one tab ends what the others follow, and nobody else's", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const other = await site.enter({ name: "Ann" });
  const tabs = await Promise.all([cookie, cookie, other].map((one) => site.listen(one)));
  await until(() => tabs.every(({ text }) => text().includes("event: hello")));
  const waiting = site.ask("/api/events?wait=1&after=", { cookie: other });
  expect((await waiting).status).toBe(200);
  const { position } = (await (await site.ask("/api/events?wait=1", { cookie })).json()) as {
    position: string;
  };
  const polling = site.ask(`/api/events?wait=1&after=${position}`, { cookie });
  await site.ask("/api/session", { method: "DELETE", cookie });
  await until(() => tabs[0]?.over() && tabs[1]?.over(), "both tabs to be told");
  expect(tabs[0]?.text()).toContain("event: ended");
  expect((await polling).status).toBe(401);
  expect(tabs[2]?.over()).toBe(false);
  expect((await site.ask("/api/me", { cookie: other })).status).toBe(200);
});

/** A record store on which something happens, once, between the reading of a record and what is done then. */
function meanwhile(prefix: string) {
  let action = async (): Promise<unknown> => undefined;
  const happen = async (keys: readonly string[]) => {
    if (!keys.some((key) => key.startsWith(prefix))) return;
    const next = action;
    action = async () => undefined;
    await next();
  };
  return {
    set: (what: () => Promise<unknown>) => (action = what),
    through: (recordStore: RecordStore): RecordStore => ({
      ...recordStore,
      get: async (key) => {
        const found = await recordStore.get(key);
        await happen([key]);
        return found;
      },
      getMany: async (keys) => {
        const found = await recordStore.getMany(keys);
        await happen(keys);
        return found;
      },
    }),
  };
}

test("a session that ends in the moment in which it is used does not come back", async () => {
  const between = meanwhile("session:");
  const site = await openSite({ through: between.through });
  const cookie = await site.enter({ key: await site.accounts.add("Ann", "link") });
  // It is so old that its use is written down.
  const [pass = ""] = await site.recordStore.keys("session:");
  const record = (await site.recordStore.get(pass)) as { at: number };
  await site.recordStore.set(pass, { ...record, at: Date.now() - 60 * 24 * 3_600_000 });
  between.set(() => site.accounts.remove("Ann"));
  await site.ask("/api/me", { cookie });
  expect((await site.ask("/api/me", { cookie })).status).toBe(401);
});

test("a link that is taken away in the moment in which it is opened lets nobody in", async () => {
  const between = meanwhile("link:");
  const site = await openSite({ through: between.through });
  const key = await site.accounts.add("Ann", "link");
  between.set(() => site.accounts.remove("Ann"));
  const response = await site.tries({ key });
  const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await site.ask("/api/me", { cookie })).status).toBe(401);
  expect((await site.tries({ key })).status).toBe(403);
});

test("sessions by name end with the first link, and come back neither when the last one goes nor when names are enough again", async () => {
  const site = await openSite();
  const ann = await site.enter({ name: "Ann" });
  const tab = await site.listen(ann);
  await until(() => tab.text().includes("event: hello"));
  await site.accounts.add("Bob", "link");
  await until(() => tab.over(), "the end of the stream");
  expect((await site.ask("/api/me", { cookie: ann })).status).toBe(401);
  expect(await site.accounts.remove("Bob")).toBe(true);
  expect((await site.ask("/api/me", { cookie: ann })).status).toBe(401);
  expect(await (await site.ask("/api/session")).json()).toEqual({ signIn: "link" });
  expect((await site.tries({ name: "Ann" })).status).toBe(403);
  expect(await site.accounts.reopen()).toBe(true);
  expect((await site.ask("/api/me", { cookie: ann })).status).toBe(401);
  await site.enter({ name: "Ann" });
});

test("an account that an earlier version has made keeps names from being enough once it is gone", async () => {
  const site = await openSite();
  await site.recordStore.set("link:hash-of-a-key", { user: "Ann" });
  expect((await site.tries({ name: "Bob" })).status).toBe(403);
  expect(await site.accounts.reopen()).toBe(false);
  expect(await site.accounts.remove("Ann")).toBe(true);
  expect((await site.tries({ name: "Bob" })).status).toBe(403);
});

test("the cookie is bound to the host where there is TLS, and no other one counts there", async () => {
  const site = await openSite({ url: "https://chat.example.org" });
  const key = await site.accounts.add("Ann", "link");
  const [cookie = ""] = (await site.tries({ key })).headers.getSetCookie();
  expect(cookie).toMatch(/^__Host-colloquy_[0-9a-f]+=[\w-]+; /);
  expect(cookie).toMatch(/; Path=\//);
  expect(cookie).toMatch(/; Secure/);
  expect(cookie).not.toMatch(/; Domain/);
  const [pair = ""] = cookie.split(";");
  expect((await site.ask("/api/me", { cookie: pair })).status).toBe(200);
  // What another host of the same domain may have set.
  expect((await site.ask("/api/me", { cookie: pair.replace("__Host-", "") })).status).toBe(401);
  const [gone] = (await site.ask("/api/session", { method: "DELETE", cookie: pair })).headers.getSetCookie();
  expect(gone).toMatch(/^__Host-colloquy_[0-9a-f]+=; Max-Age=0; Path=\/; Secure/);
});

test("nothing of what people said may be kept by browsers", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const png =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
  const body = { id: "message-1", text: "look", images: [png] };
  const { turn } = (await (await site.ask("/api/conversations/c/messages", { cookie, body })).json()) as {
    turn: string;
  };
  for (const path of [
    "/api/session",
    "/api/me",
    "/api/conversations",
    "/api/conversations/c",
    `/api/conversations/c/images/${turn}/0`,
    "/api/conversations/c/export",
    "/api/events?wait=1",
    "/api/usage",
    "/api/nothing",
    "/v1/models",
  ])
    expect((await site.ask(path, { cookie })).headers.get("cache-control"), path).toBe("no-store");
  const stream = await fetch(`${site.url}/api/events`, {
    headers: { cookie },
    signal: AbortSignal.timeout(9_000),
  });
  expect(stream.headers.get("cache-control")).toContain("no-store");
  await stream.body?.cancel();
  expect((await site.ask("/api/me")).headers.get("cache-control")).toBe("no-store");
});

test("only failures count against an address, and never against somebody who has a right key", async () => {
  const site = await openSite();
  const keys = await Promise.all(
    Array.from({ length: 40 }, (_, index) => site.accounts.add(`person ${index}`, "link")),
  );
  const statuses = async (who: readonly object[]) =>
    (await Promise.all(who.map((one) => site.tries(one)))).map(({ status }) => status);
  // Everyone in an office comes in at nine.
  expect(new Set(await statuses(keys.map((key) => ({ key }))))).toEqual(new Set([200]));
  const guesses = await statuses(Array.from({ length: 40 }, (_, index) => ({ key: `guess ${index}` })));
  expect(guesses.filter((status) => status === 403)).toHaveLength(20);
  expect(guesses.filter((status) => status === 429)).toHaveLength(20);
  expect(await statuses([{ key: keys[7] }, { key: "guess" }])).toEqual([200, 429]);
  expect(site.events().filter(({ event }) => event === "sign-in-refused")).toHaveLength(20);
  expect(site.events().filter(({ event }) => event === "too-many-failures")).toHaveLength(1);
});

test("the log tells who, from where and what, and nothing that lets anyone in", async () => {
  const site = await openSite();
  const address = "127.0.0.1";
  const named = await site.enter({ name: "Ann" });
  const link = await site.accounts.add("Bob", "link");
  const once = await site.accounts.add("Eve", "link", { once: true });
  const old = await site.accounts.add("Eve", "link", { expires: Date.now() - 1 });
  const api = await site.accounts.add("Bob", "api");
  await site.ask("/api/me", { cookie: named });
  const bob = await site.enter({ key: link });
  for (const key of ["a-wrong-key-that-is-secret", old]) await site.tries({ key });
  await site.tries({ name: "Ann" });
  await site.tries({ key: once }, bob);
  const eve = await site.enter({ key: once, switch: true }, bob);
  await site.tries({ key: once });
  await site.ask("/api/conversations/c/stop", {
    method: "POST",
    cookie: eve,
    headers: { origin: "https://evil.example" },
  });
  await site.ask("/v1/models", { headers: { authorization: "Bearer a-wrong-api-key" } });
  await site.ask("/v1/models", { headers: { authorization: `Bearer ${api}` } });
  await site.ask("/api/session", { method: "DELETE", cookie: eve });
  const ids = new Map(
    (await site.accounts.list()).map((key) => [`${key.user} ${key.kind} ${key.once}`, key.id]),
  );
  expect(site.events()).toEqual([
    { event: "sign-in", user: "Ann", address, how: "name" },
    { event: "session-ended", user: "Ann", why: "revoked" },
    { event: "sign-in", user: "Bob", address, how: "link", link: ids.get("Bob link undefined") },
    { event: "sign-in-refused", address, how: "link", why: "unknown" },
    { event: "sign-in-refused", user: "Eve", address, how: "link", why: "expired" },
    { event: "sign-in-refused", user: "Ann", address, how: "name", why: "link" },
    { event: "switch-asked", user: "Bob", other: "Eve", address },
    {
      event: "account-switched",
      user: "Eve",
      from: "Bob",
      address,
      how: "link",
      link: ids.get("Eve link true"),
    },
    { event: "sign-in-refused", user: "Eve", address, how: "link", why: "used" },
    {
      event: "cross-site",
      user: "Eve",
      address,
      method: "POST",
      path: "/api/conversations/c/stop",
      from: "evil.example",
    },
    { event: "key-refused", address, why: "unknown" },
    { event: "sign-out", user: "Eve", address },
  ]);
  const secrets = [named, bob, eve].map((cookie) => cookie.split("=")[1] ?? "");
  for (const secret of [...secrets, link, once, old, api, "a-wrong-key-that-is-secret", "a-wrong-api-key"]) {
    expect(secret).not.toBe("");
    expect(site.lines()).not.toContain(secret);
  }
});

test("`user remove` ends the open pages and the programs of a person while their answers grow", async () => {
  const model = await startModelSimulator({
    reply: { text: "word ".repeat(5_000), pieces: 5_000, delayMs: 100 },
  });
  onTestFinished(() => model.close());
  const port = String(await freePort());
  const env = {
    STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}`,
    HTTP_PORT: port,
    OPENAI_API_KEY: model.key,
    OPENAI_BASE_URL: model.baseURL,
    OPENAI_MODEL: "simulated",
  };
  const running = runProgram(["start"], env);
  await running.ready();
  const colloquy = async (...words: string[]) => {
    const program = runProgram(words, env);
    expect(await program.exited, program.errors()).toBe(0);
    return { output: program.output().trim(), errors: program.errors() };
  };
  const [{ output: link }, { output: key }, { output: bobs }] = await Promise.all([
    colloquy("user", "add", "Ann"),
    colloquy("user", "add", "Ann", "--api"),
    colloquy("user", "add", "Bob"),
  ]);
  const url = `http://127.0.0.1:${port}`;
  const enter = async (personal: string) => {
    const response = await fetch(`${url}/api/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key: personal.split("=")[1] }),
    });
    return response.headers.get("set-cookie")?.split(";")[0] ?? "";
  };
  const [ann, bob] = [await enter(link), await enter(bobs)];
  const page = await listen(`${url}/api/events`, { cookie: ann });
  const others = await listen(`${url}/api/events`, { cookie: bob });
  const body = { model: "assistant", stream: true, messages: [{ role: "user", content: "tell me" }] };
  const program = await listen(`${url}/v1/chat/completions`, { authorization: `Bearer ${key}` }, body);
  await until(() => program.text().includes("word") && page.text().includes("word"), "an answer that grows");

  const removed = await colloquy("user", "remove", "Ann");
  const since = Date.now();
  await until(() => page.over() && program.over(), "the end of both streams");
  expect(Date.now() - since).toBeLessThan(20_000);
  expect(page.text()).toContain("event: ended");
  expect(program.text()).toContain("authentication_error");
  expect(program.text()).not.toContain("[DONE]");
  expect((await fetch(`${url}/api/me`, { headers: { cookie: ann } })).status).toBe(401);
  expect(others.over()).toBe(false);
  expect(eventsIn(running.output())).toContainEqual({ event: "session-ended", user: "Ann", why: "revoked" });
  expect(eventsIn(removed.errors)).toMatchObject([
    { event: "user-removed", user: "Ann", by: expect.any(String) },
  ]);
});
