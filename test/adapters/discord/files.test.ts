import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createDiscord } from "../../../adapters/discord/adapter.ts";
import { createDiscordDialect } from "../../../adapters/discord/dialect/dialect.ts";
import { filesOf } from "../../../adapters/discord/send/files.ts";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../../adapters/discord/simulator/simulator.ts";
import type { Adapter } from "../../../src/adapter.ts";
import { createColloquy } from "../../../src/colloquy.ts";
import { PlatformError } from "../../../src/errors.ts";
import type { Model } from "../../../src/model/model.ts";
import { createPager } from "../../../src/text/paginate/paginate.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { captureLog } from "../../support/log.ts";
import { until } from "../../../src/testing/until.ts";

const PACE = { direct: 5, group: 5 };

/** An answer of a number of paragraphs, each of which fills a page. */
const long = (paragraphs: number) =>
  Array.from({ length: paragraphs }, (_, n) => `Paragraph ${n}: ${"word ".repeat(385)}`.trim()).join("\n\n");
const pagesOf = (markdown: string) =>
  createPager(createDiscordDialect())
    .pages(markdown, true)
    .map(({ content }) => content);

interface SetUp {
  /** What the model says, piece by piece. */
  readonly answer: () => AsyncIterable<string>;
  readonly simulator?: DiscordSimulatorOptions;
  readonly fileAfter?: number;
}

async function setUp({ answer, simulator = {}, fileAfter }: SetUp) {
  const discord = await startDiscordSimulator(simulator);
  onTestFinished(() => discord.close());
  const { log, lines } = captureLog();
  const { token, apiRoot } = discord;
  const adapter = createDiscord({ token, apiRoot, log, pace: PACE, ...(fileAfter && { fileAfter }) });
  const store = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const start = async (changed: Partial<Adapter> = {}) => {
    const model = createModel(answer);
    const platform = { ...adapter, ...changed } as Adapter;
    const bot = await createColloquy({ adapters: [platform], model, store, log });
    onTestFinished(() => bot.stop());
    await bot.start();
    await until(() => discord.commands.length > 0);
    return bot;
  };
  return { discord, adapter, start, lines, answered: () => until(() => lines().includes('"answered"')) };
}

function createModel(answer: () => AsyncIterable<string>): Model {
  return {
    name: "scripted",
    contextTokens: 32_768,
    answer: async function* () {
      yield* answer();
      return { input: 1, output: 1, estimated: true };
    },
  };
}

async function* inPieces(text: string): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += 500) {
    yield text.slice(at, at + 500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What the bot shows in the end: texts, and the files of the last message. */
function shownBy(discord: DiscordSimulator, channel?: string) {
  const lines = discord.screen("ann", channel).filter(({ from }) => from === "bot");
  return { lines, texts: lines.map(({ text }) => text), files: lines.at(-1)?.files ?? [] };
}

test("25 pages in a DM: 20 messages and the whole answer as a file", async () => {
  const answer = long(25);
  const { discord, start, answered } = await setUp({ answer: () => inPieces(answer) });
  await start();
  discord.say("ann", "tell me everything");
  await answered();
  const { lines, texts, files } = shownBy(discord);
  expect(pagesOf(answer)).toHaveLength(25);
  expect(texts.slice(0, 20)).toEqual(pagesOf(answer).slice(0, 20));
  expect(texts.slice(20)).toEqual(["The answer continues in the attached file, which contains all of it."]);
  expect(files).toMatchObject([{ name: "answer.md", text: answer }]);
  expect(lines.slice(0, 20).every((line) => line.files === undefined)).toBe(true);
});

test("the file's message pings nobody and shows no previews", async () => {
  const { discord, start, answered } = await setUp({ answer: () => inPieces(long(3)), fileAfter: 1 });
  await start();
  discord.say("ann", "hello");
  await answered();
  const sent = discord.calls.filter(({ method, path }) => method === "POST" && path.endsWith("/messages"));
  expect(sent.at(-1)?.body).toMatchObject({ allowed_mentions: { parse: [] }, flags: 4, enforce_nonce: true });
});

test("while the answer grows nothing is posted for the pages beyond", async () => {
  const answer = long(6);
  let release = () => {};
  const rest = new Promise<void>((resolve) => (release = resolve));
  const { discord, start, answered } = await setUp({
    fileAfter: 2,
    answer: async function* () {
      for (const piece of answer.split(/(?= )/)) {
        yield piece;
        if (piece.includes("4:")) await rest;
      }
    },
  });
  await start();
  discord.say("ann", "tell me");
  await until(() => shownBy(discord).texts[1] === pagesOf(answer)[1]);
  expect(shownBy(discord).texts).toEqual(pagesOf(answer).slice(0, 2));
  release();
  await answered();
  expect(shownBy(discord).texts).toHaveLength(3);
  expect(shownBy(discord).files).toMatchObject([{ text: answer }]);
});

test("as many pages as there may be messages need no file", async () => {
  const { discord, start, answered } = await setUp({ answer: () => inPieces(long(3)), fileAfter: 3 });
  await start();
  discord.say("ann", "tell me");
  await answered();
  expect(shownBy(discord).texts).toEqual(pagesOf(long(3)));
  expect(shownBy(discord).files).toEqual([]);
});

test("25 pages by /ask in a server, in the person's language", async () => {
  const answer = long(25);
  const { discord, start, answered } = await setUp({ answer: () => inPieces(answer) });
  await start();
  discord.ask("ann", "tell me", { where: "guild", locale: "zh-CN" });
  await answered();
  const { texts, files } = shownBy(discord, "general");
  expect(texts.slice(0, 20)).toEqual(pagesOf(answer).slice(0, 20));
  expect(texts.slice(20)).toEqual(["后面的内容在附件里，附件中是完整的回答。"]);
  expect(files).toMatchObject([{ name: "answer.md", text: answer }]);
});

test("25 pages by /ask where only the person installed the bot: 6 messages, the last with the file", async () => {
  const answer = long(25);
  const { discord, start, answered, lines } = await setUp({ answer: () => inPieces(answer) });
  await start();
  discord.ask("ann", "tell me", { where: "user-install" });
  await answered();
  const { texts, files } = shownBy(discord, "elsewhere");
  expect(texts).toHaveLength(6);
  expect(texts.slice(0, 5)).toEqual(pagesOf(answer).slice(0, 5));
  expect(files).toMatchObject([{ name: "answer.md", text: answer }]);
  expect(lines()).not.toContain("cannot be delivered");
});

test("a follow-up that stands twice leaves none for the file: the first message takes it", async () => {
  const answer = long(25);
  const { discord, start, answered } = await setUp({ answer: () => inPieces(answer) });
  await start();
  discord.fail({ method: "POST", path: /^\/webhooks\//, connection: "after" });
  discord.ask("ann", "tell me", { where: "user-install" });
  await answered();
  const { lines, texts } = shownBy(discord, "elsewhere");
  expect(new Set(texts)).toEqual(new Set(pagesOf(answer).slice(0, 5)));
  expect(lines[0]).toMatchObject({ text: pagesOf(answer)[0], files: [{ name: "answer.md", text: answer }] });
});

test("two follow-ups that stand twice: the last page and the whole answer become files of the first message", async () => {
  const answer = long(25);
  const { discord, start, answered, lines } = await setUp({ answer: () => inPieces(answer) });
  await start();
  discord.fail({ method: "POST", path: /^\/webhooks\//, connection: "after", times: 2 });
  discord.ask("ann", "tell me", { where: "user-install" });
  await answered();
  const { lines: shown, texts } = shownBy(discord, "elsewhere");
  expect(new Set(texts)).toEqual(new Set(pagesOf(answer).slice(0, 4)));
  expect(shown[0]?.files).toMatchObject([{ name: "answer.md", text: answer }]);
  expect(lines()).not.toContain("cannot be delivered");
});

test("five pages of which two stand twice: the last is a file of the first message", async () => {
  const answer = long(5);
  const { discord, start, answered } = await setUp({ answer: () => inPieces(answer) });
  await start();
  discord.fail({ method: "POST", path: /^\/webhooks\//, connection: "after", times: 2 });
  discord.ask("ann", "tell me", { where: "user-install" });
  await answered();
  const { lines: shown } = shownBy(discord, "elsewhere");
  expect(shown[0]).toMatchObject({
    text: pagesOf(answer)[0],
    files: [{ name: "page-5.md", text: pagesOf(answer)[4] }],
  });
});

test.each(["dm", "guild"] as const)(
  "an answer to /ask in a %s that outlives the token goes on in the channel, with every page and the file",
  async (where) => {
    const answer = long(6);
    let now = Date.now();
    let release = () => {};
    const rest = new Promise<void>((resolve) => (release = resolve));
    const { discord, start, answered } = await setUp({
      fileAfter: 4,
      simulator: { clock: () => now },
      answer: async function* () {
        for (const piece of answer.split(/(?= )/)) {
          yield piece;
          if (piece.includes("3:")) await rest;
        }
      },
    });
    await start();
    discord.ask("ann", "tell me", { where });
    const channel = where === "guild" ? "general" : undefined;
    await until(() => shownBy(discord, channel).texts[1] === pagesOf(answer)[1]);
    now += 15 * 60_000 + 1;
    release();
    await answered();
    const { texts, files } = shownBy(discord, channel);
    for (const page of pagesOf(answer).slice(0, 4)) expect(texts).toContain(page);
    expect(files).toMatchObject([{ name: "answer.md", text: answer }]);
  },
);

test("a text larger than the interaction's limit is cut into several files", async () => {
  const answer = `${long(2)}\n\n${"雨是水滴。".repeat(2000)}`;
  const { discord, start, answered } = await setUp({
    answer: () => inPieces(answer),
    simulator: { fileBytes: 10_000 },
  });
  await start();
  discord.ask("ann", "tell me", { where: "user-install" });
  await answered();
  const { files } = shownBy(discord, "elsewhere");
  expect(files.map(({ name }) => name)).toEqual(["answer-1.md", "answer-2.md", "answer-3.md", "answer-4.md"]);
  expect(files.map(({ text }) => text).join("")).toBe(answer);
});

test("a file whose posting was interrupted stands once after the restart", async () => {
  const answer = long(5);
  const { discord, adapter, start, answered } = await setUp({ answer: () => inPieces(answer), fileAfter: 2 });
  const dying = await start({
    files: {
      ...adapter.files,
      send: async (...message) => {
        await adapter.files?.send?.(...message);
        throw new PlatformError("cut", "the process ends before it hears that the file has arrived");
      },
    },
  });
  discord.say("ann", "tell me");
  await until(() => shownBy(discord).texts.length === 3);
  await dying.stop();
  const before = shownBy(discord).lines;
  await start();
  await answered();
  expect(shownBy(discord).lines).toEqual(before);
  expect(shownBy(discord).files).toMatchObject([{ text: answer }]);
});

test("where no file may be sent all pages are messages", async () => {
  const answer = long(4);
  const { discord, adapter, start, answered } = await setUp({ answer: () => inPieces(answer), fileAfter: 2 });
  await start({
    files: {
      ...adapter.files,
      send: async () => {
        throw new PlatformError("discord_50013", "Discord refused the file", { permanent: true });
      },
    },
  });
  discord.say("ann", "tell me");
  await answered();
  expect(shownBy(discord).texts).toEqual(pagesOf(answer));
});

test("a file that Discord does not take at once is sent again", async () => {
  const answer = long(3);
  const { discord, adapter, start, answered } = await setUp({ answer: () => inPieces(answer), fileAfter: 1 });
  let attempts = 0;
  await start({
    files: {
      ...adapter.files,
      send: async (...message) => {
        attempts += 1;
        if (attempts === 1) discord.fail({ method: "POST", path: /messages$/, status: 502 });
        return (await adapter.files?.send?.(...message)) ?? "";
      },
    },
  });
  discord.say("ann", "tell me");
  await answered();
  expect(attempts).toBe(2);
  expect(shownBy(discord).texts).toHaveLength(2);
});

test("files are cut behind lines, and never within a character", () => {
  const cut = (content: string, largest?: number) =>
    filesOf({ name: "answer.md", content, note: "" }, largest).map(({ name, data }) => [name, String(data)]);
  expect(cut("one\ntwo")).toEqual([["answer.md", "one\ntwo"]]);
  expect(cut("one\ntwo\nthree", 9)).toEqual([
    ["answer-1.md", "one\ntwo\n"],
    ["answer-2.md", "three"],
  ]);
  expect(cut("日本語", 5).map(([, text]) => text)).toEqual(["日", "本", "語"]);
  expect(cut("👍👍", 7).map(([, text]) => text)).toEqual(["👍", "👍"]);
});
