import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { createKeyedLock } from "../../src/store/keyed-lock.ts";
import { pickThread, pickUser } from "../../src/cli/chat/picker.ts";
import { openHistory, emptyConversation } from "../../src/conversation/conversation.ts";
import { texts } from "../../src/i18n/texts.ts";
import { openStore } from "../../src/store/store.ts";
import { createThreads, keyOf } from "../../src/conversation/threads.ts";
import { until } from "../../src/testing/until.ts";

const ENTER = "\r";
const DOWN = "\u001B[B";
const CTRL_C = "\u0003";
const CTRL_U = "\u0015";

/** Someone who has to choose among what Ann and Bob have said. */
async function sitDown() {
  const store = await openStore("memory:");
  onTestFinished(() => store.close());
  const history = await openHistory(store);
  const threads = createThreads({
    store,
    history,
    platform: "console",
    lock: createKeyedLock(store, "memory:"),
  });
  const say = async (key: string, content: string, ago: number) =>
    history.save({ ...emptyConversation(key), messages: [{ role: "user", content, at: Date.now() - ago }] });
  await say(keyOf("console", "ann"), "why is rain", 90_000);
  await say(keyOf("console", "ann", "t1"), "and snow", 86_400_000 * 3);
  await say(keyOf("console", "bob"), "hello", 7_200_000);
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: 90, rows: 30, isTTY: true });
  let shown = "";
  output.setEncoding("utf8").on("data", (chunk: string) => (shown += chunk));
  /** Waits for what is shown, and then presses keys. */
  const press = async (after: string, ...keys: string[]) => {
    await until(() => shown.includes(after), after);
    shown = "";
    for (const key of keys) {
      input.write(key);
      await setImmediate();
    }
  };
  const options = {
    threads,
    say: texts("en"),
    locale: "en",
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
  };
  return { options, press, threads, shown: () => shown };
}

test("those who have said something are offered, last active first", async () => {
  const { options, press, shown } = await sitDown();
  const chosen = pickUser(options);
  await until(() => shown().includes("bob"));
  expect(shown()).toMatch(/ann.*2 conversations, 1 minute ago[^]*bob/);
  await press("ann", DOWN, ENTER);
  expect(await chosen).toBe("bob");
});

test("somebody new says their name", async () => {
  const { options, press } = await sitDown();
  const chosen = pickUser(options);
  await press("bob", DOWN, DOWN, ENTER);
  await press("Your name", ENTER);
  await press("at least one character", " Eve", ENTER);
  expect(await chosen).toBe("Eve");
});

test("a conversation is found by typing, and gone on with", async () => {
  const { options, press } = await sitDown();
  const chosen = pickThread("ann", options);
  await press("why is rain", "snow");
  await press("3 days ago", ENTER);
  expect(await chosen).toEqual({ user: "ann", thread: "t1" });
});

test("a new one is none of those that are there", async () => {
  const { options, press } = await sitDown();
  const chosen = pickThread("ann", options);
  await press("why is rain", DOWN, DOWN, ENTER);
  const { user, thread } = (await chosen) ?? {};
  expect(user).toBe("ann");
  expect(thread).toMatch(/^\d{17}-\w+$/);
});

test("one is renamed, and one is deleted after a question", async () => {
  const { options, press, threads } = await sitDown();
  const chosen = pickThread("ann", options);
  await press("why is rain", DOWN, DOWN, DOWN, ENTER);
  await press("Rename or delete which one?", ENTER);
  await press("rename it", ENTER);
  await press("New name", CTRL_U, "Weather", ENTER);
  await press("Weather", DOWN, DOWN, DOWN, ENTER);
  await press("Rename or delete which one?", DOWN, ENTER);
  await press("“and snow”", DOWN, ENTER);
  await press("Its messages will be lost.", DOWN);
  await press("Yes", "y");
  await until(async () => (await threads.of("ann")).length === 1);
  await press("Which conversation, ann?", CTRL_C);
  expect(await chosen).toBeUndefined();
  expect(await threads.of("ann")).toMatchObject([{ title: "Weather" }]);
});

test("a user can switch to another name, or leave", async () => {
  const { options, press } = await sitDown();
  const chosen = pickThread("ann", options);
  await press("why is rain", DOWN, DOWN, DOWN, DOWN, ENTER);
  await press("Who are you?", CTRL_C);
  expect(await chosen).toBeUndefined();
});
