import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openHistory } from "../../src/conversation/conversation.ts";
import { openStore } from "../../src/store/store.ts";
import { keyOf } from "../../src/conversation/threads.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { surroundings } from "../support/surroundings.ts";

const FORCED = `${"*".repeat(30)}\n*********强制重置对话**********\n${"*".repeat(30)}\n`;
const RESET = "**************************\n*********重置对话**********\n**************************\n";
const LEFT = "*********退出程序**********\n";

describe("as the article's program", () => {
  const answers: Record<string, string> = {
    "1+1=几": "1+1等于2。",
    为什么是这样: "因为加法就是这样定义的。",
    水仙花数有哪些: "三位的水仙花数有153、370、371和407。",
    如何写个python程序来识别这些数: "```python\nfor n in range(100, 1000):\n    pass\n```",
  };
  const questions = Object.keys(answers);
  const told = { role: "system", content: "一个有10年Python开发经验的资深算法工程师" };
  const messages = (asked: readonly string[]) => [
    told,
    ...asked.flatMap((content) => [
      { role: "user", content },
      { role: "assistant", content: answers[content] ?? "好的。" },
    ]),
  ];

  test("its session runs to the same banners and the same file", async () => {
    const { onConsole: env, service } = await surroundings({
      reply: ({ messages }) => answers[messages.at(-1)?.content ?? ""] ?? "好的。",
    });
    const more = ["一", "二", "三", "四", "五"];
    const typed = ["老表", ...questions, "1", "老王", ...more, "老李", "0"];
    const program = runProgram(["chat", "--article"], env);
    program.type(`${typed.join("\n")}\n`);
    expect(await program.exited, program.errors()).toBe(0);
    // What is typed into a pipe is not echoed, with its end of the line.
    const printed = program
      .output()
      .replace(/\n+/g, "\n")
      .replace(/】\n【/g, "】【");
    expect(printed).toContain("请输入用户名称: 【老表】【ChatGPT】1+1等于2。\n【老表】【ChatGPT】因为加法");
    expect(printed).toContain(`【老表】${RESET}请输入用户名称: 【老王】`);
    // At eleven messages nobody is asked another question.
    expect(printed).toContain(`【ChatGPT】好的。\n${FORCED}请输入用户名称: 【老李】`);
    expect(printed.endsWith(`【老李】${LEFT}`)).toBe(true);
    expect(service.requests.map(({ messages }) => messages.length)).toEqual([2, 4, 6, 8, 2, 4, 6, 8, 10]);
    expect(service.requests[3]?.messages).toEqual([
      ...messages(questions.slice(0, 3)),
      { role: "user", content: questions[3] },
    ]);
    const written = JSON.parse(readFileSync(join(program.folder, "user_messages.json"), "utf8"));
    expect(written).toEqual({ 老表: messages(questions), 老王: messages(more), 老李: [told] });
  });

  test("others in the file stay, each name begins anew, and a file that cannot be read is left alone", async () => {
    const { onConsole: env, service } = await surroundings({ reply: "好的。" });
    const program = runProgram(["chat", "--article"], env);
    const file = join(program.folder, "user_messages.json");
    writeFileSync(file, JSON.stringify({ 小王: [told], 老表: [told, { role: "user", content: "从前" }] }));
    program.type("老表\n一\n1\n");
    await program.says("(请输入用户名称[^]*){2}");
    program.type("老表\n二\n1\n");
    await program.says("(请输入用户名称[^]*){3}");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ 小王: [told], 老表: messages(["二"]) });
    expect(service.requests.map(({ messages }) => messages.length)).toEqual([2, 2]);
    writeFileSync(file, '{"老表": [');
    program.type("老表\n三\n0\n");
    expect(await program.exited).toBe(1);
    expect(program.errors()).toMatch(/user_messages\.json cannot be imported: it is incomplete/);
    expect(readFileSync(file, "utf8")).toBe('{"老表": [');
  });
});

test("elsewhere 0 and 1 are questions like any other", async () => {
  const { onConsole: env, service } = await surroundings({ reply: "好的。" });
  const program = runProgram(["chat"], env);
  program.type("0\n1\n");
  program.endInput();
  expect(await program.exited).toBe(0);
  expect(service.requests.map(({ messages }) => messages.at(-1)?.content)).toEqual(["0", "1"]);
});

describe("as JSON", () => {
  test("one answer, with its usage", async () => {
    const { onConsole } = await surroundings({ reply: "# Rain\n\nfalls." });
    const env = { ...onConsole, OPENAI_MODELS: '{"simulated": {"input": 1000000, "output": 0}}' };
    const program = runProgram(["ask", "why", "--json"], env);
    expect(await program.exited).toBe(0);
    const { text, usage } = JSON.parse(program.output());
    expect(text).toBe("# Rain\n\nfalls.");
    expect(usage).toEqual({ input: expect.any(Number), output: expect.any(Number), cost: usage.input });
  });

  test("a failure, with its code; standard error and the exit code tell it too", async () => {
    const { onConsole, service } = await surroundings();
    service.fail({ status: 402 });
    const program = runProgram(["ask", "why", "--json"], onConsole);
    expect(await program.exited).toBe(1);
    expect(JSON.parse(program.output())).toMatchObject({ text: "", error: { code: "quota" } });
    expect(program.errors()).toContain("credit");
  });

  test("a conversation, line by line", async () => {
    const { onConsole, service } = await surroundings({ reply: "re" });
    const program = runProgram(["chat", "--json"], onConsole);
    program.type('one\n{"text": "two\\nlines"}\n/persona\n');
    program.endInput();
    expect(await program.exited).toBe(0);
    const lines = program.output().trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).text)).toEqual(["re", "re", expect.stringMatching(/I am/)]);
    expect(JSON.parse(lines[2] ?? "").choices[0]).toEqual({
      label: "assistant",
      command: "persona",
      text: "assistant",
    });
    expect(service.requests[1]?.messages.at(-1)?.content).toBe("two\nlines");
  });
});

test("two terminals of one person take turns: nothing is lost", async () => {
  const { onConsole: env } = await surroundings({
    reply: ({ messages }) => ({ text: `re ${messages.at(-1)?.content}`, pieces: 5, delayMs: 5 }),
  });
  const programs = ["a", "b"].map((name) => {
    const program = runProgram(["chat", "--user", "ann"], env);
    program.type(Array.from({ length: 8 }, (_, index) => `${name}${index}\n`).join(""));
    program.endInput();
    return program;
  });
  expect(await Promise.all(programs.map(({ exited }) => exited))).toEqual([0, 0]);
  const store = await openStore(env.STORE_URL);
  const { messages } = await (await openHistory(store)).load(keyOf("console", "ann"));
  await store.close();
  const said = messages.map(({ content }) => content);
  for (const name of ["a", "b"]) {
    expect(said.filter((text) => text.startsWith(name))).toEqual(
      Array.from({ length: 8 }, (_, index) => `${name}${index}`),
    );
  }
  for (const [index, text] of said.entries()) if (index % 2 === 1) expect(text).toBe(`re ${said[index - 1]}`);
});

test("a reader that stops after the beginning of an answer ends it quietly", async () => {
  const { onConsole: env } = await surroundings({
    reply: { text: "a line\n\n".repeat(3000), pieces: 300, delayMs: 2 },
  });
  const child = spawn(
    "sh",
    ["-c", `"${process.execPath}" "${join(import.meta.dirname, "../../dist/src/cli.js")}" ask x | head -1`],
    { env: { ...env, PATH: process.env["PATH"] }, cwd: temporaryFolder(), stdio: "pipe" },
  );
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk));
  await new Promise((resolve) => child.on("close", resolve));
  expect(output.trim()).toBe("a line");
  expect(errors).toBe("");
});
