import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createKeyedLock } from "../../src/store/keyed-lock.ts";
import {
  openHistory,
  emptyConversation,
  type ConversationMessage,
} from "../../src/conversation/conversation.ts";
import { openStore } from "../../src/store/store.ts";
import { createThreads, keyOf } from "../../src/conversation/threads.ts";
import { temporaryFolder } from "../support/folder.ts";

async function openThreads(url = "memory:") {
  const store = await openStore(url);
  onTestFinished(() => store.close());
  const history = await openHistory(store);
  const threads = createThreads({ store, history, platform: "paper", lock: createKeyedLock(store, url) });
  const say = async (key: string, at: number, ...texts: string[]) => {
    const messages: ConversationMessage[] = texts.map((content) => ({ role: "user", content, at }));
    await history.save({ ...emptyConversation(key), messages });
  };
  return { threads, history, say, store };
}

test("people and their conversations are listed, last active first, with their first words", async () => {
  const { threads, say } = await openThreads();
  await say(keyOf("paper", "ann"), 10, "why is rain", "and snow");
  await say(keyOf("paper", "ann", "t1"), 30, "  hello\n\nthere ");
  await say(keyOf("paper", "anna"), 20, "字".repeat(100));
  await say("paper:ann:group", 90, "in a group");
  await say("other:ann", 99, "elsewhere");
  await say(keyOf("paper", "bob"), 99);
  expect(await threads.users()).toEqual([
    { user: "ann", at: 30, conversations: 2 },
    { user: "anna", at: 20, conversations: 1 },
  ]);
  expect(await threads.of("ann")).toEqual([
    { key: "paper:ann::t1", user: "ann", thread: "t1", title: "hello there", at: 30, messages: 1 },
    { key: "paper:ann", user: "ann", title: "why is rain", at: 10, messages: 2 },
  ]);
  expect((await threads.of("anna"))[0]?.title).toBe(`${"字".repeat(59)}…`);
});

test("one record that cannot be understood hides none of the others", async () => {
  const { threads, say, store } = await openThreads();
  await say(keyOf("paper", "ann"), 10, "hello");
  await (await store.open("history")).set("paper:bob", { version: 99 });
  expect(await threads.users()).toMatchObject([{ user: "ann" }]);
});

test("a conversation is renamed, and removed but for its cost", async () => {
  const { threads, history } = await openThreads();
  const key = keyOf("paper", "a:n%n");
  const usage = { turns: 3, input: 4, output: 5, days: {} };
  await history.save({ ...emptyConversation(key), messages: [{ role: "user", content: "x", at: 1 }], usage });
  await threads.rename(key, "Rain and\nsnow");
  expect(await threads.of("a:n%n")).toMatchObject([{ key, user: "a:n%n", title: "Rain and snow" }]);
  await threads.rename(key, " ");
  expect(await threads.of("a:n%n")).toMatchObject([{ title: "x" }]);
  await threads.remove(key);
  expect(await threads.users()).toEqual([]);
  expect(await threads.load(key)).toMatchObject({ messages: [], usage });
});

test("one process at a time may work on a conversation", async () => {
  const url = `sqlite:${join(temporaryFolder(), "s.sqlite")}`;
  const store = await openStore(url);
  onTestFinished(() => store.close());
  const [one, other] = [createKeyedLock(store, url), createKeyedLock(store, url)];
  const release = await one("paper:ann");
  const over = new AbortController();
  const waiting = other("paper:ann", over.signal);
  // A stranger does not wait.
  await (await other("paper:bob"))();
  over.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  const next = other("paper:ann");
  await release();
  await (await next)();
});
