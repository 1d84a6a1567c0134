import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { openSite, type Site } from "../../support/site.ts";
import { until } from "../../../src/testing/until.ts";

const message = (text: string, id = "message-1") => ({ id, text });

test("the page is small, and names no other host", async () => {
  const site = await openSite();
  const page = await (await site.ask("/")).text();
  const files = ["/", ...(await assetsIn(site, page))];
  expect(files).toEqual(
    expect.arrayContaining([
      "/assets/main.js",
      "/assets/chat.js",
      "/assets/highlight.js",
      "/assets/style.css",
    ]),
  );
  let bytes = 0;
  for (const path of files) {
    const response = await site.ask(path);
    expect(response.status, path).toBe(200);
    const text = await response.text();
    bytes += gzipSync(text).length;
    if (path !== "/assets/highlight.js")
      expect(text.match(/https?:\/\/[^"')\s]+/g) ?? []).toEqual(
        text.includes("<svg") ? text.match(/http:\/\/www\.w3\.org\/2000\/svg/g) : [],
      );
  }
  expect(bytes).toBeLessThan(150_000);
});

/** What a page loads, and what that loads in turn. */
async function assetsIn(site: Site, page: string): Promise<string[]> {
  const found = new Set([...page.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, path]) => `/${path}`));
  for (const path of found) {
    const text = await (await site.ask(path)).text();
    for (const [, name] of text.matchAll(/(?:from |import\(|new URL\()"(?:\.\/)?([\w-]+\.js)"/g))
      found.add(`/assets/${name}`);
  }
  return [...found];
}

test("nobody gets anywhere without signing in", async () => {
  const site = await openSite();
  for (const path of ["/api/me", "/api/conversations", "/api/conversations/x", "/api/events", "/api/usage"])
    expect((await site.ask(path)).status, path).toBe(401);
  expect((await site.ask("/api/conversations/x/messages", { body: message("hi") })).status).toBe(401);
  const cookie = await site.enter({ name: "Ann" });
  expect((await site.ask("/api/me", { cookie })).status).toBe(200);
  expect((await site.ask("/api/me", { cookie: `${cookie}x` })).status).toBe(401);
  expect((await site.ask("/api/me", { cookie: cookie.replace(/=.*/, "=abc.def") })).status).toBe(401);
  expect(site.said).toEqual([]);
});

test("the cookie is out of reach for scripts and other sites, and secure where the page is", async () => {
  const site = await openSite();
  const [cookie] = (await site.ask("/api/session", { body: { name: "Ann" } })).headers.getSetCookie();
  expect(cookie).toMatch(/; HttpOnly/);
  expect(cookie).toMatch(/; SameSite=Strict/);
  expect(cookie).not.toMatch(/; Secure/);
  const behind = await openSite({ url: "https://chat.example.org" });
  const key = await behind.accounts.add("Ann", "link");
  const [secure] = (await behind.ask("/api/session", { body: { key } })).headers.getSetCookie();
  expect(secure).toMatch(/; Secure/);
});

test("a personal link signs in whoever has it, until it is taken away; names are no way in any more", async () => {
  const site = await openSite();
  const key = await site.accounts.add("Ann", "link");
  expect(await (await site.ask("/api/session")).json()).toEqual({ signIn: "link" });
  expect((await site.ask("/api/session", { body: { name: "Ann" } })).status).toBe(403);
  expect((await site.ask("/api/session", { body: { key: "wrong" } })).status).toBe(403);
  const cookie = await site.enter({ key });
  expect(await (await site.ask("/api/session", { cookie })).json()).toEqual({ user: "Ann" });
  expect(JSON.stringify(await site.store.keys("web", ""))).not.toContain(key);
  expect(await site.accounts.remove("Ann")).toBe(true);
  expect((await site.ask("/api/me", { cookie })).status).toBe(401);
  expect((await site.ask("/api/session", { body: { key } })).status).toBe(403);
});

test("one signs out", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  expect((await site.ask("/api/session", { method: "DELETE", cookie })).status).toBe(204);
  expect((await site.ask("/api/me", { cookie })).status).toBe(401);
});

test("who tries too often has to wait", async () => {
  const site = await openSite();
  const statuses = await Promise.all(
    Array.from(
      { length: 30 },
      async () => (await site.ask("/api/session", { body: { key: "guess" } })).status,
    ),
  );
  expect(statuses).toContain(429);
});

test("other sites cannot act for a person", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const body = message("sent by another site");
  const path = "/api/conversations/c/messages";
  for (const headers of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ])
    expect((await site.ask(path, { cookie, body, headers })).status).toBe(403);
  expect(
    (await site.ask(path, { cookie, body: "text=x", headers: { "content-type": "text/plain" } })).status,
  ).toBe(400);
  expect(site.said).toEqual([]);
  const own = { origin: `http://127.0.0.1:${site.port}` };
  expect((await site.ask(path, { cookie, body, headers: own })).status).toBe(200);
});

test("nonsense is refused with a sentence, and nothing comes of it", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const post = (path: string, body: unknown) =>
    site.ask(`/api/conversations/${path}/messages`, { cookie, body });
  for (const [path, body, status] of [
    ["c", "{", 400],
    ["c", { text: "hi" }, 400],
    ["c", { ...message("hi"), extra: 1 }, 400],
    ["c", message(""), 400],
    ["c", message("x".repeat(100_001)), 413],
    ["c", { ...message("hi"), persona: "nobody" }, 400],
    ["c", { ...message("hi"), __proto__: { polluted: 1 }, ["constructor"]: 1 }, 400],
    ["%2e%2e", message("hi"), 404],
    ["a:b", message("hi"), 404],
  ] as const) {
    const response = await post(path, body);
    expect(response.status, JSON.stringify(body).slice(0, 60)).toBe(status);
    expect(((await response.json()) as { error: string }).error).toMatch(/./);
  }
  expect(site.said.filter(({ command }) => command === undefined)).toEqual([]);
  expect((await site.ask("/api/nothing", { cookie })).status).toBe(404);
});

test("what is far too large is not even read", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const body = message("x".repeat(10_000_000));
  // Whoever still sends may find the connection closed before they hear of it.
  const status = await site.ask("/api/conversations/c/messages", { cookie, body }).then(
    (response) => response.status,
    () => 413,
  );
  expect(status).toBe(413);
  expect(site.said).toEqual([]);
});

test("the same message twice is one", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const post = async () =>
    (await site.ask("/api/conversations/c/messages", { cookie, body: message("hi") })).json();
  expect(await post()).toEqual(await post());
  expect(new Set(site.said.map(({ id }) => id)).size).toBe(1);
  const { turns } = (await (await site.ask("/api/conversations/c", { cookie })).json()) as {
    turns: unknown[];
  };
  expect(turns).toHaveLength(1);
});

test("a stream that breaks goes on where it was; one from another run is told of the gap", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const first = await listen(site, cookie);
  await until(() => first.hello?.gap === true);
  await site.ask("/api/conversations/c/messages", { cookie, body: message("one", "message-1") });
  await until(() => first.news.length === 2);
  first.stop();
  await site.ask("/api/conversations/c/messages", { cookie, body: message("two", "message-2") });
  const second = await listen(site, cookie, first.position);
  await until(() => second.news.length === 2);
  expect(second.hello?.gap).toBe(false);
  expect(second.news.map(({ kind }) => kind).sort()).toEqual(["asked", "listed"]);
  expect(JSON.stringify(second.news)).toContain("two");
  expect(JSON.stringify(second.news)).not.toContain("message-1");
  const stranger = await listen(site, cookie, "another-1");
  await until(() => stranger.hello?.gap === true);
});

test("two hundred pages are open, and each hears what is new", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const pages = await Promise.all(Array.from({ length: 200 }, () => listen(site, cookie)));
  await until(() => pages.every(({ hello }) => hello !== undefined));
  await site.ask("/api/conversations/c/messages", { cookie, body: message("hi") });
  await until(() => pages.every(({ news }) => news.length === 2));
  // Others are served meanwhile.
  expect((await site.ask("/api/me", { cookie })).status).toBe(200);
});

test("where a proxy holds streams back, one asks again and again", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const ask = async (after: string) =>
    (await (await site.ask(`/api/events?wait=1&after=${after}`, { cookie })).json()) as {
      gap: boolean;
      position: string;
      news: { news: { kind: string } }[];
    };
  const first = await ask("");
  expect(first.gap).toBe(true);
  const waiting = ask(first.position);
  await site.ask("/api/conversations/c/messages", { cookie, body: message("hi") });
  const { gap, news, position } = await waiting;
  expect(gap).toBe(false);
  const all = [...news, ...(news.length < 2 ? (await ask(position)).news : [])];
  expect(all.map(({ news: { kind } }) => kind).sort()).toEqual(["asked", "listed"]);
});

test("a page that takes nothing in is let go, and others hear everything", async () => {
  const site = await openSite();
  const cookie = await site.enter({ name: "Ann" });
  const socket = connect(Number(site.port), "127.0.0.1").pause();
  onTestFinished(() => void socket.destroy());
  socket.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n\r\n`);
  const awake = await listen(site, cookie);
  await until(() => awake.hello !== undefined);
  const to = { user: "Ann", thread: "c", turn: "000000000000001-message-1" };
  const size = 500_000;
  const count = 40;
  for (let number = 0; number < count; number += 1) {
    await site.adapter.send(to, { html: "x".repeat(size) }, `piece${number}`);
    await until(() => awake.news.length === number + 1);
  }
  let taken = 0;
  let end = "";
  socket.on("data", (chunk) => {
    taken += chunk.length;
    end = (end + chunk.toString("latin1")).slice(-5);
  });
  socket.resume();
  await until(
    () => end === "0\r\n\r\n",
    () => `the end of the stream; ${taken} bytes came`,
  );
  expect(taken).toBeLessThan((size * count) / 2);
});

interface Listening {
  readonly news: { kind: string }[];
  hello?: { gap: boolean };
  position: string;
  stop(): void;
}

async function listen(site: Site, cookie: string, after?: string): Promise<Listening> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const response = await fetch(`${site.url}/api/events`, {
    headers: { cookie, ...(after && { "last-event-id": after }) },
    signal: over.signal,
  });
  const listening: Listening = { news: [], position: "", stop: () => over.abort() };
  void (async () => {
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        take(text.slice(0, end), listening);
        text = text.slice(end + 2);
      }
    }
  })().catch(() => undefined);
  return listening;
}

function take(event: string, listening: Listening): void {
  const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s)));
  const data: unknown = fields["data"] && JSON.parse(String(fields["data"]));
  if (fields["event"] === "hello") listening.hello = data as { gap: boolean };
  if (fields["event"] !== "news") return;
  listening.news.push(data as { kind: string });
  listening.position = String(fields["id"]);
}
