import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { createConsole, linesOf, openTerminal } from "../../../adapters/console/index.ts";
import { createColloquy } from "../../../src/colloquy.ts";
import type { Model } from "../../../src/model/model.ts";
import { createOpenAI } from "../../../src/model/openai.ts";
import { type ModelSimulatorOptions, startModelSimulator } from "../../../src/testing/openai.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { createScriptedModel } from "../../../src/testing/scripted-model.ts";
import { captureLog } from "../../support/log.ts";
import { createScreen } from "../../../adapters/console/simulator.ts";
import { until } from "../../../src/testing/until.ts";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

/** A person at a terminal, and the whole bot behind it. */
async function sitDown(
  reply: ModelSimulatorOptions["reply"] = "hello to you",
  { history = [], early = "" }: { readonly history?: readonly string[]; readonly early?: string } = {},
) {
  const model = await startModelSimulator({ ...(reply && { reply }) });
  const keyboard = new PassThrough();
  const screen = createScreen({ isTTY: true });
  const terminal = openTerminal({
    input: keyboard as unknown as NodeJS.ReadStream,
    output: screen.output as unknown as NodeJS.WriteStream,
    prompt: "\nann> ",
    leaveHint: "again to leave",
    history,
  });
  const console = createConsole({
    input: terminal.said,
    output: screen.output,
    user: "ann",
    color: false,
    idle: () => terminal.prompt(),
  });
  const bot = await createColloquy({
    adapters: [console],
    model: createOpenAI({ apiKey: model.key, baseURL: model.baseURL, model: "simulated" }),
    store: "memory:",
    log: captureLog().log,
  });
  onTestFinished(async () => {
    terminal.close();
    await bot.stop();
    await model.close();
  });
  keyboard.write(early);
  await bot.start();
  await until(() => screen.lines().at(-1)?.includes("ann> "));
  return { type: (keys: string) => void keyboard.write(keys), screen, console, model };
}

test("asks, answers, and asks again", async () => {
  const { type, screen } = await sitDown();
  type("hi\r");
  await until(() => screen.lines().includes("hello to you"));
  await until(() => screen.lines().at(-1)?.includes("ann> "));
});

test("what is typed before the first prompt is answered, and nothing of the answer is cleared", async () => {
  const { screen } = await sitDown("hello to you", { early: "hi\r" });
  expect(screen.lines()).toContain("hello to you");
  expect(screen.lines().filter((line) => line.includes("ann> "))).toHaveLength(1);
});

test("what is typed while an answer runs, over several rows, clears nothing of it", async () => {
  const { type, screen } = await sitDown({ text: "one two three", pieces: 3, delayMs: 50 });
  type("hi\r");
  await until(() => screen.lines().some((line) => line.startsWith("one")));
  type("typed ahead ".repeat(20));
  await until(() => screen.lines().at(-1)?.includes("typed ahead"));
  expect(screen.lines()).toContain("one two three");
});

test("the growing block is rewritten in place: nothing stands twice", async () => {
  const text = `# Title\n\n${"a paragraph that goes on. ".repeat(20)}\n\n- one\n- two\n\n\`\`\`js\n${"x();\n".repeat(60)}\`\`\`\n\nend`;
  const { type, screen } = await sitDown({ text, pieces: 300, delayMs: 2 });
  type("write\r");
  await until(() => screen.lines().includes("end"));
  const shown = screen.lines().join(" ");
  expect(shown.match(/a paragraph that goes on\./g)).toHaveLength(20);
  expect(shown.match(/x\(\);/g)).toHaveLength(60);
  expect(shown.match(/- one/g)).toHaveLength(1);
});

test("Ctrl-C stops the answer, and once more leaves", async () => {
  const { type, screen, console, model } = await sitDown({
    text: "word ".repeat(3000),
    pieces: 3000,
    delayMs: 5,
  });
  type("write\r");
  await until(() => screen.lines().some((line) => line.includes("word")));
  type(CTRL_C);
  await until(() => screen.lines().some((line) => line.includes("(stopped)")));
  await until(() => model.requests[0]?.aborted);
  type(CTRL_C);
  await console.ended;
  expect(screen.lines().join()).not.toContain("Stopped.");
});

test("Ctrl-C at the prompt says how to leave", async () => {
  const { type, screen } = await sitDown();
  type(CTRL_C);
  await until(() => screen.lines().includes("again to leave"));
});

test.each([["/exit\r"], [CTRL_D]])("%j leaves", async (keys) => {
  const { type, console, model } = await sitDown();
  type(keys);
  await console.ended;
  expect(model.requests).toHaveLength(0);
});

test("what is typed while an answer runs is the next question", async () => {
  const { type, screen, model } = await sitDown({ text: "word ".repeat(50), pieces: 50, delayMs: 5 });
  type("first\r");
  await until(() => screen.lines().some((line) => line.includes("word")));
  type("second\r");
  await until(() => model.requests.length === 2);
  expect(model.requests[1]?.messages.at(-1)?.content).toBe("second");
});

test("an answer that an earlier process left half written stands whole on the screen of the next", async () => {
  const store = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const hand = createScriptedModel();
  const first = await openScreen(hand.model, store);
  first.type("why?\n");
  await until(() => hand.asked.length === 1);
  hand.say("Half of");
  await until(() => first.lines().includes("Half of"));
  hand.say(" the answer");
  // Rewritten: so it is recorded that it stands.
  await until(() => first.lines().includes("Half of the answer"));
  const next = createScriptedModel();
  const second = await openScreen(next.model, store);
  await until(() => next.asked.length === 1);
  next.say("Half of the answer is not enough.\n\nThis is the rest.");
  next.end();
  await until(() => second.lines().includes("This is the rest."));
  expect(second.lines()).toEqual(["Half of the answer is not enough.", "This is the rest."]);
  hand.end();
});

/** A bot at a terminal of its own, whose process seems to have died for whoever opens the same store after it. */
async function openScreen(model: Model, store: string) {
  const keyboard = new PassThrough();
  const { output, lines } = createScreen({ isTTY: true });
  const console = createConsole({ input: linesOf(keyboard), output, user: "ann", color: false });
  const bot = await createColloquy({ adapters: [console], model, store, log: captureLog().log });
  onTestFinished(async () => {
    keyboard.end();
    await bot.stop();
  });
  await bot.start();
  return { type: (keys: string) => void keyboard.write(keys), lines };
}

test("an answer is as wide as the terminal is by then", async () => {
  const { console, screen } = await sitDown();
  const blocks = [{ type: "paragraph", spans: [{ text: "some words that need more than a line" }] }] as const;
  expect(console.dialect.print(blocks)).toBe("\nsome words that need more than a line");
  screen.output.columns = 20;
  expect(console.dialect.print(blocks)).toBe("\nsome words that need\nmore than a line");
});

const PASTE = { begin: "\u001B[200~", end: "\u001B[201~" };

test.each([
  ["a line that ends in a backslash", "one \\\rtwo\r", "one \ntwo"],
  ["two backslashes, which are text", "one \\\\\r", "one \\\\"],
  ["Alt-Enter", "one\u001B\rtwo\r", "one\ntwo"],
  ["what is pasted", `${PASTE.begin}one\ntwo\rthree${PASTE.end} four\r`, "one\ntwo\nthree four"],
  ["what was dropped by Ctrl-C", `one \\\rtwo${CTRL_C}three\r`, "three"],
])("of several lines, or not: %s", async (_, keys, said) => {
  const { type, model } = await sitDown();
  type(keys);
  await until(() => model.requests.length > 0);
  expect(model.requests[0]?.messages.at(-1)?.content).toBe(said);
});

test("something turns until the first word comes, and leaves nothing behind", async () => {
  let answer = () => {};
  const waiting = new Promise<void>((resolve) => (answer = resolve));
  const { type, screen } = await sitDown(async () => {
    await waiting;
    return "at last";
  });
  type("hi\r");
  await until(() => /[⠋-⠿]/u.test(screen.lines().at(-1) ?? ""));
  answer();
  await until(() => screen.lines().includes("at last"));
  expect(screen.lines().join("\n")).not.toMatch(/[⠋-⠿]/u);
});

test("the arrows bring back what was asked", async () => {
  const { type, model } = await sitDown("re", { history: ["newest", "oldest"] });
  type("\u001B[A\u001B[A\r");
  await until(() => model.requests.length > 0);
  expect(model.requests[0]?.messages.at(-1)?.content).toBe("oldest");
});
