import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { createKeyedLock } from "../../src/store/keyed-lock.ts";
import { pickThread, pickUser } from "../../src/cli/chat/picker.ts";
import { openHistory, emptyConversation } from "../../src/conversation/conversation.ts";
import { print } from "../../src/exchange/export.ts";
import { texts } from "../../src/i18n/texts.ts";
import { createLog } from "../../src/log.ts";
import { openDeadLetters } from "../../src/queue/dead.ts";
import { openStore } from "../../src/store/store.ts";
import { createThreads, keyOf } from "../../src/conversation/threads.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { surroundings } from "../support/surroundings.ts";
import { until } from "../../src/testing/until.ts";

/** It names the window, paints in red by the short form of the same command, erases the line, and turns the direction. */
const STEERING = "a\u001B]0;mine\u0007b\u009B31mc\u0085d\u202Ee\u2066f\rg\bh\u007Fi\u2028j";

/** What makes a terminal do something, or show another text than there is. */
const STEERS = /(?![\n\t])[\p{Cc}\u2028-\u202E\u2066-\u2069]/u;

const NAME = `ann ${STEERING}`;
const messages = [
  { role: "user" as const, content: `${STEERING}\n\tnext`, at: 1 },
  { role: "assistant" as const, content: STEERING, at: 2 },
];

/** A store in which strangers have left their traces. */
async function hostileStore() {
  const folder = temporaryFolder();
  const url = `sqlite:${join(folder, "store.sqlite")}`;
  const store = await openStore(url);
  onTestFinished(() => store.close());
  const history = await openHistory(store);
  const usage = {
    turns: 1,
    input: 5,
    output: 5,
    days: { "2026-11-23": { [STEERING]: { turns: 1, input: 5, output: 5 } } },
  };
  await history.save({ ...emptyConversation(keyOf("console", NAME)), messages, usage, title: STEERING });
  await history.save({ ...emptyConversation(keyOf("console", NAME, "t1")), messages: messages.slice(1) });
  await (await store.open("history")).set(`console:${STEERING}broken`, { version: 99 });
  const user = { id: NAME, name: NAME };
  const event = {
    id: "paper:1",
    platform: "paper",
    user,
    chat: { id: "1", kind: "direct" as const },
    to: {},
    text: STEERING,
    at: 1,
  };
  await (await openDeadLetters(store)).add({ event, error: STEERING, attempts: 8, at: 1 });
  return { folder, env: { STORE_URL: url } };
}

async function run(words: readonly string[], env: Record<string, string>, dotEnv = "") {
  const program = runProgram(words, env, dotEnv);
  program.endInput();
  const code = await program.exited;
  return { code, output: program.output(), errors: program.errors() };
}

describe("nothing that strangers have said or are called steers the terminal", () => {
  test("of those who look into a store", async () => {
    const { folder, env } = await hostileStore();
    const file = join(folder, "user_messages.json");
    writeFileSync(
      file,
      JSON.stringify({ [`eve ${STEERING}`]: messages, [NAME]: [{ role: "user", content: "x" }] }),
    );
    const markdown = join(folder, "page.md");
    writeFileSync(
      markdown,
      `# ${STEERING}\n\n\`${STEERING}\` &#x202e; &#27;[31m\n\n\`\`\`\n${STEERING}\n\`\`\`\n`,
    );
    const lines = join(folder, "lines.jsonl");
    writeFileSync(lines, `${JSON.stringify({ id: STEERING, markdown: STEERING })}\n`);
    const wrong = join(folder, "wrong.json");
    writeFileSync(wrong, JSON.stringify({ [STEERING]: [{ role: STEERING, content: "x" }] }));
    const commands: readonly (readonly string[])[] = [
      ["export", "-", "--format", "markdown", "--user", NAME],
      ["export", "-", "--format", "jsonl", "--user", NAME],
      ["export", "-", "--format", "json", "--user", NAME],
      ["import", file, "--user", `eve ${STEERING}`],
      ["import", file, "--user", NAME],
      ["import", wrong],
      ["usage", "--by", "conversation"],
      ["usage", "--by", "model", "--json"],
      ["dead", "--text"],
      ["user", "list"],
      ["preview", markdown],
      ["preview", lines, "--jsonl", "--platform", "web"],
      ["chat", "--persona", STEERING],
    ];
    const outcomes: string[] = [];
    // Two at a time: each is a process.
    for (let at = 0; at < commands.length; at += 2)
      await Promise.all(
        commands.slice(at, at + 2).map(async (words) => {
          const { output, errors } = await run(words, env);
          expect(output.length + errors.length, words.join(" ")).toBeGreaterThan(10);
          if (STEERS.test(output + errors))
            outcomes.push(`${words.join(" ")}: ${JSON.stringify(output + errors)}`);
        }),
      );
    expect(outcomes).toEqual([]);
  });

  test("nor is anything lost where a format has a way to write it", async () => {
    const conversation = { ...emptyConversation("console:ann"), messages };
    const printed = async (format: "json" | "jsonl" | "markdown") => {
      const all = (async function* () {
        yield [NAME, conversation] as const;
      })();
      let text = "";
      for await (const piece of print(format, all, { persona: STEERING, personas: new Map() })) text += piece;
      expect(text).not.toMatch(STEERS);
      return text;
    };
    const said = messages.map(({ role, content }) => ({ role, content }));
    const whole = [{ role: "system", content: STEERING }, ...said];
    expect(JSON.parse(await printed("json"))).toEqual({ [NAME]: whole });
    const lines = (await printed("jsonl")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject(whole);
    expect(await printed("markdown")).toContain("\n\tnext");
  });

  test("of those who ask a model", async () => {
    const { onConsole: env } = await surroundings({ reply: STEERING });
    const [plain, json] = await Promise.all([
      run(["ask", "hello"], env),
      run(["ask", "hello", "--json"], env),
    ]);
    expect(plain.output).toMatch(/\S/);
    expect(plain.output + json.output).not.toMatch(STEERS);
    expect(JSON.parse(json.output)).toMatchObject({ text: STEERING });
    const failed = await run(["ask", "hello"], {
      ...env,
      OPENAI_MODEL: `no-${STEERING}`,
    });
    expect(failed.errors).not.toMatch(STEERS);
  });

  test("of those who start the program in a folder of somebody else", async () => {
    const folder = temporaryFolder();
    const key = join(folder, "k\u001B]0;mine\u0007\u009B");
    writeFileSync(key, "sk-1234567", { mode: 0o644 });
    const outcomes = await Promise.all([
      run(["usage"], {}, `OPENAI_API_KEY_FILE="${key}"\n`),
      run(["usage"], {}, `COLLOQUY_CONFIG="${key}.yaml"\n`),
      run(["usage"], {}, `LOG_LEVEL="${STEERING.replace("\r", "")}"\n`),
      run(["user", "add", "ann"], {}, `WEB_URL="http://a.example/${STEERING.replace("\r", "")}"\n`),
    ]);
    for (const { output, errors } of outcomes) {
      expect(errors).not.toBe("");
      expect(output + errors).not.toMatch(STEERS);
    }
  });
});

test.each([true, false])("what is logged does not steer a terminal (terminal: %s)", (isTTY) => {
  let shown = "";
  const write = (chunk: Buffer, _: unknown, done: () => void) => {
    shown += chunk.toString();
    done();
  };
  const stream = Object.assign(new Writable({ write }), { isTTY });
  const log = createLog({ level: "info", stream, secrets: [] });
  log.info(
    { user: STEERING, err: new Error(`refused ${STEERING}`) },
    `the service said ${STEERING} \\u001b \\\\u001b`,
  );
  // The log's own colours stay.
  expect(shown.replace(/\u001B\[\d+m/g, "")).not.toMatch(STEERS);
  expect(shown).toContain("the service said a");
  if (!isTTY)
    expect(JSON.parse(shown)).toMatchObject({
      user: STEERING,
      msg: `the service said ${STEERING} \\u001b \\\\u001b`,
    });
});

test("those who choose whose conversation it is see names and titles that do nothing", async () => {
  const store = await openStore("memory:");
  onTestFinished(() => store.close());
  const history = await openHistory(store);
  const key = keyOf("console", NAME);
  await history.save({ ...emptyConversation(key), messages, title: `title ${STEERING}` });
  const alone = createKeyedLock(store, "memory:");
  const threads = createThreads({ store, history, platform: "console", lock: alone });
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: 90, rows: 30, isTTY: true });
  let shown = "";
  output.setEncoding("utf8").on("data", (chunk: string) => (shown += chunk));
  const options = {
    threads,
    say: texts("en"),
    locale: "en",
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
  };
  const user = pickUser(options);
  await until(() => shown.includes("ann a"));
  input.write("\r");
  expect(await user).toBe(NAME);
  const thread = pickThread(NAME, options);
  await until(() => shown.includes("title a"));
  input.write("\u0003");
  await thread;
  // The list may move the cursor and use colours; it must not set the title of the window or reverse the text.
  expect(shown).not.toMatch(/\u001B\]|[\u0007\b\u007F-\u009F\u2028-\u202E\u2066-\u2069]/);
});
