import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { startDiscordSimulator } from "../adapters/discord/simulator.ts";
import { startTelegramSimulator } from "../adapters/telegram/simulator.ts";
import { startModelSimulator } from "../src/model/simulator.ts";
import { CRASH_POINTS } from "../src/crash.ts";
import { temporaryFolder } from "./support/folder.ts";
import { runProgram } from "./support/program.ts";
import { until } from "./support/until.ts";

/** Long enough for three messages on each platform, and written slowly enough for an edit. */
const ANSWERS = { telegram: answer(1000), discord: answer(800) };

function answer(sentences: number): string {
  return `${Array.from({ length: sentences }, (_, n) => `word${n} `).join("")}END`;
}

interface Stage {
  /** The person asks. */
  ask(text: string): void;
  /** The messages that the person sees as the answers. */
  shown(): readonly string[];
  /** Whether the person can ask. */
  ready(): boolean;
  readonly answer: string;
  readonly env: Record<string, string>;
}

const STAGES: Readonly<Record<string, () => Promise<Stage>>> = {
  Telegram: () => onTelegram({}),
  "Telegram drafts": () => onTelegram({ TELEGRAM_DRAFTS: "on" }),
  "Discord DM": () => onDiscord("say"),
  "Discord /ask": () => onDiscord("ask"),
};

async function onTelegram(settings: Record<string, string>): Promise<Stage> {
  const telegram = await startTelegramSimulator();
  onTestFinished(() => telegram.close());
  return {
    ask: (text) => telegram.say("ann", text),
    shown: () => telegram.shows("ann"),
    ready: () => true,
    answer: ANSWERS.telegram,
    env: { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_ROOT: telegram.apiRoot, ...settings },
  };
}

async function onDiscord(how: "say" | "ask"): Promise<Stage> {
  const discord = await startDiscordSimulator();
  onTestFinished(() => discord.close());
  return {
    ask: (text) => void discord[how]("ann", text),
    shown: () => discord.shows("ann"),
    ready: () => discord.commands.length > 0,
    answer: ANSWERS.discord,
    env: { DISCORD_BOT_TOKEN: discord.token, DISCORD_API_ROOT: discord.apiRoot },
  };
}

/** These are reached for each message of an answer: the second is another case than the first. */
const REPEATED = ["sending", "sent", "recorded"];
const CELLS = CRASH_POINTS.flatMap((point) =>
  REPEATED.includes(point) ? [`${point}:1`, `${point}:2`] : [point],
);

/** A draft is no message: nothing is edited. */
const NEVER: Readonly<Record<string, readonly string[]>> = { "Telegram drafts": ["edited"] };

/** A follow-up of a slash command has no nonce, and cannot be looked for: it may stand twice. */
const MAY_DOUBLE: Readonly<Record<string, readonly string[]>> = { "Discord /ask": ["sent:1", "sent:2"] };

/** So many processes crash side by side. */
const AT_ONCE = 3;

/** What came of each cell, printed as a table in the end. */
const results = new Map<string, string>();

describe("a crash at any step loses nothing", () => {
  test.each(Object.entries(STAGES))(
    "on %s",
    async (name, open) => {
      const cells = CELLS.filter((point) => !NEVER[name]?.includes(point));
      const crashers = Array.from({ length: AT_ONCE }, async () => {
        for (let point = cells.shift(); point; point = cells.shift()) {
          const outcome = await crash(await open(), point).catch(
            (error: unknown) => `LOST: ${String(error)}`,
          );
          results.set(`${name} ${point}`, outcome);
        }
      });
      await Promise.all(crashers);
      const outcomes = [...results].filter(([cell]) => cell.startsWith(`${name} `));
      const allowed = (MAY_DOUBLE[name] ?? []).map((point) => `${name} ${point}`);
      const bad = outcomes.filter(
        ([cell, outcome]) => outcome !== "whole" && !(outcome === "doubled" && allowed.includes(cell)),
      );
      expect(bad).toEqual([]);
    },
    300_000,
  );
});

/** Asks, dies at this point, starts again, asks once more; what the person saw of the first answer. */
async function crash(stage: Stage, point: string): Promise<string> {
  const service = await startModelSimulator({
    reply: ({ messages }) =>
      messages.at(-1)?.content === "and then?" ? "nothing" : { text: stage.answer, pieces: 40, delayMs: 40 },
  });
  onTestFinished(() => service.close());
  const env = {
    ...stage.env,
    OPENAI_API_KEY: service.key,
    OPENAI_BASE_URL: service.baseURL,
    OPENAI_MODEL: "simulated",
    STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}`,
  };
  const first = runProgram(["start"], { ...env, COLLOQUY_CRASH_AT: point });
  await first.ready();
  await until(stage.ready);
  stage.ask("tell me");
  expect(await first.exited).toBe("SIGKILL");

  const second = runProgram(["start"], env);
  await second.ready();
  await until(() => outcome(stage), `the answer; it is: ${end(stage)}`, 60_000);
  stage.ask("and then?");
  await until(() => stage.shown().at(-1) === "nothing", `the next answer; it is: ${end(stage)}`, 60_000);
  second.signal("SIGTERM");
  const asked = service.requests.at(-1)?.messages.map(({ content }) => content);
  expect(asked?.slice(1)).toEqual(["tell me", stage.answer, "and then?"]);
  return outcome(stage) ?? "changed";
}

/** How the first answer stands: whole, or with one message too many. */
function outcome({ shown, answer: expected }: Stage): "whole" | "doubled" | undefined {
  const messages = shown().filter((message) => message !== "nothing");
  if (flat(messages) === expected) return "whole";
  return messages.some((_, index) => flat(messages.toSpliced(index, 1)) === expected) ? "doubled" : undefined;
}

function end(stage: Stage): string {
  return flat(stage.shown()).slice(-60);
}

function flat(messages: readonly string[]): string {
  return messages.join(" ").replace(/\s+/g, " ").trim();
}

afterAll(() => {
  const names = Object.keys(STAGES);
  const rows = CELLS.map((point) => [
    point,
    ...names.map((name) => results.get(`${name} ${point}`)?.slice(0, 7) ?? "-"),
  ]);
  const line = (cells: readonly string[]) => cells.map((cell) => cell.padEnd(16)).join("");
  process.stdout.write(`\n${[["killed at", ...names], ...rows].map(line).join("\n")}\n`);
});
