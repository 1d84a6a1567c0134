import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openHistory, emptyConversation, MAX_MESSAGES } from "../../src/conversation/conversation.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { surroundings } from "../support/surroundings.ts";

const PERSONA = "一个有10年Python开发经验的资深算法工程师";
const ann = [
  { role: "system", content: PERSONA },
  { role: "user", content: "1+1=几" },
  { role: "assistant", content: "1+1等于2。" },
];
const bob = [
  { role: "assistant", content: "# 你好\n```\nopen" },
  { role: "user", content: "a" },
  { role: "user", content: "b" },
];

async function colloquy(words: readonly string[], env: Record<string, string>) {
  const program = runProgram(words, env);
  program.endInput();
  return { code: await program.exited, output: program.output(), errors: program.errors() };
}

test("the article's file is taken in, gone on with, and written again", async () => {
  const { onConsole: env, service } = await surroundings({ reply: "因为。" });
  const folder = temporaryFolder();
  const [from, to] = [join(folder, "user_messages.json"), join(folder, "again.json")];
  writeFileSync(from, JSON.stringify({ ann, bob }));
  const taken = await colloquy(["import", from], env);
  expect(taken.output).toBe(
    "ann: 2 messages\nbob: 3 messages\n2 of 2 users were imported. They continue with `colloquy chat --user NAME`.\n",
  );
  expect((await colloquy(["export", to], env)).code).toBe(0);
  expect(JSON.parse(readFileSync(to, "utf8"))).toEqual({ ann, bob });

  const chat = runProgram(["chat", "--user", "ann"], env);
  chat.type("为什么是这样\n");
  chat.endInput();
  expect(await chat.exited).toBe(0);
  expect(service.requests.at(-1)?.messages).toEqual([...ann, { role: "user", content: "为什么是这样" }]);

  const again = await colloquy(["import", from], env);
  expect(again.code).toBe(2);
  expect(again.errors).toMatch(
    /^colloquy: ann already have other messages here: nothing was changed\. Use --replace/,
  );
  expect((await colloquy(["import", from, "--replace", "--user", "ann"], env)).code).toBe(0);
  expect((await colloquy(["export", to], env)).errors).toMatch(/again\.json exists already/);
  expect((await colloquy(["export", to, "--replace", "--user", "ann"], env)).code).toBe(0);
  expect(JSON.parse(readFileSync(to, "utf8"))).toEqual({ ann });
});

describe("written as", () => {
  async function exported(...words: readonly string[]) {
    const folder = temporaryFolder();
    const url = `sqlite:${join(folder, "s.sqlite")}`;
    const store = await openStore(url);
    const history = await openHistory(store);
    const at = Date.parse("2026-11-23T08:00:00Z");
    const messages = [
      { role: "user" as const, content: "# why", at },
      { role: "assistant" as const, content: "```js\nopen", at: at + 1000 },
    ];
    await history.save({ ...emptyConversation("console:ann"), messages, persona: "python" });
    const thread = {
      ...emptyConversation("console:ann::t1"),
      messages: messages.slice(0, 1),
      title: "A *title*",
    };
    await history.save({ ...thread, summary: "Earlier." });
    await history.save({ ...emptyConversation("paper:1:g"), messages, system: "" });
    await store.close();
    return colloquy(["export", "-", ...words], { STORE_URL: url });
  }

  test("JSON Lines, with the times", async () => {
    const { output, errors } = await exported("--format", "jsonl", "--user", "ann");
    expect(
      output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { user: "ann", role: "system", content: PERSONA },
      { user: "ann", role: "user", content: "# why", at: "2026-11-23T08:00:00.000Z" },
      { user: "ann", role: "assistant", content: "```js\nopen", at: "2026-11-23T08:00:01.000Z" },
    ]);
    expect(errors).toContain("ann has 1 more conversation, which --all would also export");
  });

  test("Markdown, in which no code is left open", async () => {
    const { output } = await exported("--format", "markdown", "--all");
    expect(output).toContain(`# console:ann\n\n## System\n\n${PERSONA}\n\n## console:ann\n\n# why\n`);
    expect(output).toContain("## Assistant\n\n```js\nopen\n```\n");
    expect(output).toContain("# A \\*title\\*\n\n## System\n\nYou are a helpful");
    expect(output).toContain("\n\nWhat was said earlier in this conversation, in short:\nEarlier.\n");
    expect(output).toContain("# paper:1:g\n\n## paper:1:g\n");
  });
});

test("nothing is taken in by half, and what is not kept is told", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "all.json");
  const env = { STORE_URL: `sqlite:${join(folder, "s.sqlite")}` };
  const many = Array.from({ length: MAX_MESSAGES + 100 }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: `${index}`,
  }));
  writeFileSync(file, JSON.stringify({ ann, eve: [{ role: "robot", content: "x" }] }));
  const refused = await colloquy(["import", file], env);
  expect(refused.code).toBe(2);
  expect(existsSync(join(folder, "s.sqlite"))).toBe(false);
  writeFileSync(file, JSON.stringify({ many }));
  expect((await colloquy(["import", file, "--user", "nobody"], env)).errors).toMatch(
    /The file has no user nobody/,
  );
  expect((await colloquy(["import", file], env)).output).toContain(
    `many: ${many.length} messages, only the newest ${MAX_MESSAGES} were saved`,
  );
  // What is in already is no hindrance.
  expect((await colloquy(["import", file], env)).code).toBe(0);
  mkdirSync(join(folder, "dir.json"));
  const failed = await colloquy(["export", join(folder, "dir.json"), "--replace"], env);
  expect(failed.code).toBe(1);
  expect(failed.errors).toMatch(/dir\.json/);
});
