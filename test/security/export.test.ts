import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadPersonas } from "../../config/personas.ts";
import { loadSettings } from "../../config/settings.ts";
import { personasOf } from "../../src/cli/exchange.ts";
import { openHistory, emptyConversation } from "../../src/conversation/conversation.ts";
import { print } from "../../src/exchange/export.ts";
import { readUserMessages } from "../../src/exchange/user-messages.ts";
import { createLocalAccess } from "../../src/http/local.ts";
import { startProgram } from "../../src/program/start.ts";
import { openStore } from "../../src/store/store.ts";
import { keyOf } from "../../src/conversation/threads.ts";
import { temporaryFolder } from "../support/folder.ts";
import { signInByName } from "../support/local.ts";
import { captureLog } from "../support/log.ts";

const SYSTEM = "You are an agent; the password of the safe is 4711.";
const SUMMARY = "They spoke of rain.";

const messages = [
  { role: "user" as const, content: "why is rain", at: 1 },
  { role: "assistant" as const, content: "Because.", at: 2 },
];

/** The program with three conversations of Ann: a persona of her choice, an imported one, and one with a summary. */
async function start() {
  const url = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const store = await openStore(url);
  const history = await openHistory(store);
  const key = (thread: string) => keyOf("web", "ann", thread);
  await history.save({ ...emptyConversation(key("t1")), messages, persona: "python" });
  await history.save({ ...emptyConversation(key("t2")), messages, system: SYSTEM });
  await history.save({ ...emptyConversation(key("t3")), messages, summary: SUMMARY });
  await store.close();
  const { log } = captureLog();
  const settings = loadSettings({ STORE_URL: url, HTTP_PORT: "0" });
  const local = createLocalAccess();
  const program = await startProgram({ settings, log, local });
  onTestFinished(() => program.stop());
  await program.connected;
  const ask = async (path: string, cookie: string) => {
    const response = await fetch(`${program.url}/api/${path}`, { headers: { cookie } });
    expect([path, response.ok]).toEqual([path, true]);
    return response;
  };
  const cookie = await signInByName(local.link(program.url), "ann");
  return async (thread: string, format: string) => {
    const response = await ask(`conversations/${thread}/export?format=${format}`, cookie);
    return ((await response.json()) as { content: string }).content;
  };
}

test("what the model is told about itself is not handed to those who talk to it", async () => {
  const saved = await start();
  const secrets = [SYSTEM, "4711", ...loadPersonas().values()];
  for (const thread of ["t1", "t2", "t3"])
    for (const format of ["md", "jsonl", "json"]) {
      const content = await saved(thread, format);
      expect(content).toContain("why is rain");
      for (const secret of secrets) expect(content).not.toContain(secret);
      // What the model has noted of the conversation is the person's own.
      expect(content.includes(SUMMARY)).toBe(thread === "t3");
      expect(/system/i.test(content)).toBe(thread === "t3");
    }
  // It is a user_messages.json all the same.
  const file = join(temporaryFolder(), "user_messages.json");
  writeFileSync(file, await saved("t1", "json"));
  expect([...(await readUserMessages(file))]).toEqual([
    ["ann", messages.map(({ role, content }) => ({ role, content }))],
  ]);
});

test("the operator's own export keeps it, so that an import goes on as it was", async () => {
  const all = (async function* () {
    yield ["ann", { ...emptyConversation("console:ann"), messages, system: SYSTEM }] as const;
  })();
  let text = "";
  for await (const piece of print("json", all, personasOf(loadSettings({})))) text += piece;
  expect(text).toContain(SYSTEM);
});
