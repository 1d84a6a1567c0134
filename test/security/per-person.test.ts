import { startModelProgram } from "../support/model-program.ts";
import OpenAI from "openai";
import { expect, onTestFinished, test } from "vitest";
import { createAccounts, createWeb, type WebOptions } from "../../adapters/web/index.ts";
import type { Update } from "../../adapters/web/conversations/updates.ts";
import { createRecords } from "../../adapters/web/conversations/records.ts";
import { createSearch } from "../../adapters/web/conversations/search.ts";
import type { ChatEvent } from "../../src/event.ts";
import { type ModelSimulatorOptions } from "../../src/testing/openai.ts";
import { startServer } from "../../src/program/server.ts";
import { openStore } from "../../src/store/store.ts";
import { openRecordStore } from "../../src/program/web-chat.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";

const DOT =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** The program with a simulated model. */
async function openProgram(more: Record<string, string>, reply: ModelSimulatorOptions["reply"] = "fine") {
  const { url, key, link, model } = await startModelProgram({ reply, settings: more });
  return { url, key, link, model, ...(await signIn(url, { key: link })) };
}

/** A web chat that takes events in and answers nothing. */
async function openSite(options: Partial<WebOptions> = {}) {
  const store = await openStore("memory:");
  const recordStore = await openRecordStore(store);
  const events: ChatEvent[] = [];
  const adapter = createWeb({
    recordStore,
    personas: ["a", "b"],
    models: ["m"],
    currency: "$",
    conversations: {
      chosen: async () => ({}),
      spent: async () => ({ input: 0, output: 0 }),
      export: async () => "",
      usage: async () => [],
    },
    log: captureLog().log,
    ...options,
  });
  await adapter.start(async (event) => void events.push(event), []);
  const server = await startServer({ host: "127.0.0.1", port: 0, adapters: [adapter], health: () => ({}) });
  onTestFinished(() => server.close());
  const key = await createAccounts(recordStore).add("Ann", "link");
  return { url: server.url, recordStore, events, ...(await signIn(server.url, { key })) };
}

async function signIn(url: string, body: object) {
  const headers = { "content-type": "application/json" };
  const entered = await fetch(`${url}/api/session`, { method: "POST", headers, body: JSON.stringify(body) });
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  const ask = (path: string, asked?: object, method = asked ? "POST" : "GET") =>
    fetch(`${url}/api/${path}`, {
      method,
      headers: { cookie, ...(asked && headers) },
      ...(asked && { body: JSON.stringify(asked) }),
    });
  const say = (thread: string, text: string, more: object = {}) =>
    ask(`conversations/${thread}/messages`, { id: crypto.randomUUID(), text, ...more });
  return { cookie, ask, say };
}

test("a flood is refused as it comes in: 429 with when to try again, and nothing of it is stored", async () => {
  const { say, ask, model } = await openProgram({ MESSAGES_PER_MINUTE: "3" });
  const id = crypto.randomUUID();
  const first = await say("c", "one", { id });
  expect(first.status).toBe(200);
  // The same message again is not counted again.
  expect(await (await say("c", "one", { id })).json()).toEqual(await first.json());
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => say(`t${index}`, "more")));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  const refused = answers.find(({ status }) => status === 429);
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused?.json()).toEqual({ error: expect.stringContaining("too fast") as string });
  const chinese = await say("c", "再来一个", { locale: "zh-CN" });
  expect(await chinese.json()).toEqual({ error: expect.stringContaining("秒") as string });
  // What stops something passes, and so does deleting.
  expect((await ask("conversations/c/stop", {}, "POST")).status).toBe(204);
  expect((await ask("conversations/c", undefined, "DELETE")).status).toBe(204);
  expect((await (await ask("conversations")).json()) as object[]).toHaveLength(2);
  await until(() => model.requests.length >= 2);
  expect(model.requests.length).toBeLessThanOrEqual(3);
});

test("a program that is too fast gets 429 as OpenAI's clients know it, before anything is asked", async () => {
  const { url, key, model } = await openProgram({ MESSAGES_PER_MINUTE: "2" });
  const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
  const ask = () =>
    openai.chat.completions.create({ model: "assistant", messages: [{ role: "user", content: "hi" }] });
  await ask();
  await ask();
  const error = await ask().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OpenAI.RateLimitError);
  expect(
    Number((error as InstanceType<typeof OpenAI.RateLimitError>).headers?.get("retry-after")),
  ).toBeGreaterThan(0);
  expect(model.requests).toHaveLength(2);
});

const QUOTAS = { conversations: 3, withImages: 2, imageBytes: 1_000_000, textBytes: 20_000, turns: 4 };

test("conversations, images and text have an end, and what is deleted makes room", async () => {
  const { say, ask } = await openSite({ quotas: QUOTAS });
  const status = async (answer: Promise<Response>) => (await answer).status;
  for (const thread of ["a", "b", "c"]) expect(await status(say(thread, "hi"))).toBe(200);
  const full = await say("d", "hi");
  expect(full.status).toBe(413);
  expect(await full.json()).toEqual({ error: expect.stringContaining("delete conversations") as string });
  // Where there is one already one can go on.
  expect(await status(say("a", "hi", { images: [DOT] }))).toBe(200);
  expect(await status(say("a", "hi", { images: [DOT] }))).toBe(200);
  expect(await status(say("a", "hi", { images: [DOT] }))).toBe(413);
  expect(await status(say("a", "hi"))).toBe(200);
  expect(await (await say("a", "hi")).json()).toEqual({
    error: expect.stringContaining("begin another") as string,
  });
  expect(await status(say("b", "x".repeat(20_000)))).toBe(200);
  expect(await status(say("b", "hi"))).toBe(413);
  for (const thread of ["a", "b"]) await ask(`conversations/${thread}`, undefined, "DELETE");
  expect(await status(say("d", "hi", { images: [DOT] }))).toBe(200);
});

test("what is not there is neither stopped nor deleted: nothing comes into being by that", async () => {
  const { ask, events } = await openSite();
  for (let index = 0; index < 5; index += 1) {
    expect((await ask(`conversations/x${index}`, undefined, "DELETE")).status).toBe(204);
    expect((await ask(`conversations/x${index}/stop`, {}, "POST")).status).toBe(204);
  }
  expect(events).toEqual([]);
});

test("of what a person looks at a few things are loaded at once, and the rest waits", async () => {
  let loading = 0;
  let most = 0;
  const open: (() => void)[] = [];
  const load = async () => {
    loading += 1;
    most = Math.max(most, loading);
    await new Promise<void>((resolve) => open.push(resolve));
    loading -= 1;
    return "all of it";
  };
  const { ask } = await openSite({
    conversations: {
      chosen: async () => ({}),
      spent: async () => ({ input: 0, output: 0 }),
      export: load,
      usage: async () => [],
    },
  });
  const answers = Promise.all(Array.from({ length: 60 }, () => ask("conversations/c/export")));
  for (let index = 0; index < 60; index += 1) (await until(() => open.shift()))();
  expect((await answers).every(({ status }) => status === 200)).toBe(true);
  expect(most).toBeLessThanOrEqual(8);
});

/** Records of a person with so many conversations of so many turns, and how much of them was read. */
async function manyTurns(conversations: number, turns: number) {
  const recordStore = await openRecordStore(await openStore("memory:"));
  let read = 0;
  const records = createRecords({
    ...recordStore,
    getMany: (keys) => {
      read += keys.length;
      return recordStore.getMany(keys);
    },
  });
  for (let index = 0; index < conversations; index += 1) {
    const thread = `t${index}`;
    await records.saveEntry("ann", { thread, title: thread, at: index });
    for (let turn = 0; turn < turns; turn += 1) {
      const name = `${String(turn).padStart(15, "0")}-x`;
      await records.saveQuestion("ann", thread, { turn: name, text: "word ".repeat(20), at: turn });
    }
  }
  return { records, read: () => read };
}

test("a search looks through no more than its bound, and a newer one ends it", async () => {
  const { records, read } = await manyTurns(40, 60);
  const bounded = createSearch(records, { maxSearched: 20_000 });
  expect(await bounded.find("ann", "nothing like it")).toEqual([]);
  // 100 UTF-16 units a turn, in two records; before it was 40 × 60 turns.
  expect(read()).toBeLessThan(600);
  const search = createSearch(records);
  const before = read();
  const all = await Promise.all(Array.from({ length: 20 }, () => search.find("ann", "nothing like it")));
  expect(all.every((found) => found.length === 0)).toBe(true);
  const each = 40 * 60 * 2 + 40;
  expect(read() - before).toBeLessThan(each * 3);
  expect((await search.find("ann", "WORD")).map(({ thread }) => thread)).toHaveLength(40);
});

/** What a stream brings, until it ends. */
async function listen(url: string, cookie: string) {
  const response = await fetch(`${url}/api/events`, { headers: { cookie } });
  const heard = { news: [] as Update[], bytes: 0, hello: false, ended: false };
  const read = async () => {
    let text = "";
    for await (const chunk of response.body ?? []) {
      const added = Buffer.from(chunk as Uint8Array).toString();
      heard.bytes += added.length;
      text += added;
      heard.hello ||= text.includes("event: hello");
      heard.news = [...text.matchAll(/event: news\nid: [^\n]+\ndata: (.*)\n/g)].map(
        ([, data = ""]) => JSON.parse(data) as Update,
      );
    }
    heard.ended = true;
  };
  read().catch(() => (heard.ended = true));
  await until(() => heard.hello);
  return heard;
}

test("a page hears each piece of a program's answer once", async () => {
  const text = "A sentence of some words. ".repeat(40);
  const { url, key, cookie } = await openProgram({}, { text, pieces: 40, delayMs: 5 });
  const page = await listen(url, cookie);
  const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
  const answer = await openai.chat.completions.create({
    model: "assistant",
    messages: [{ role: "user", content: "hi" }],
  });
  expect(answer.choices[0]?.message.content).toBe(text);
  await until(() => page.news.some(({ kind }) => kind === "done"));
  expect(new Set(page.news.map(({ kind }) => kind))).toEqual(new Set(["asked", "listed", "shown", "done"]));
  const added = page.news.flatMap((news) => (news.kind === "shown" ? news.add.length : []));
  expect(added.reduce((sum, length) => sum + length, 0)).toBeLessThan(text.length * 1.5);
});

test("a person's pages that listen are no more than 200: the oldest ends", async () => {
  const { url, cookie, ask, say } = await openSite();
  const pages = await Promise.all(Array.from({ length: 200 }, () => listen(url, cookie)));
  const last = await listen(url, cookie);
  await until(() => pages.some(({ ended }) => ended));
  await say("c", "hi");
  await until(() => last.news.length === 2);
  expect(pages.filter(({ ended }) => ended)).toHaveLength(1);
  expect((await ask("me")).status).toBe(200);
});
