import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { STAGES } from "../../src/telemetry/stages.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type RunningProgram, runProgram } from "../support/program.ts";
import { flat, type Surroundings, surroundings } from "../support/surroundings.ts";
import { until } from "../../src/testing/until.ts";

interface Platform {
  /** What the model says: two messages, or three. */
  readonly answer: string;
  readonly words: readonly string[];
  readonly env: (around: Surroundings) => Record<string, string>;
  /** Lets a person ask. */
  ask(asking: { around: Surroundings; program: RunningProgram; person: string; text: string }): unknown;
  /** The messages of the bot that a person sees; of a terminal only what its last process has written. */
  shows(seeing: { around: Surroundings; program: RunningProgram; person: string }): readonly string[];
  /** A terminal is one person's, and goes with its process. */
  readonly isTerminal?: true;
}

const onTelegram: Platform = {
  answer: words(1000),
  words: ["start"],
  env: (around) => around.onTelegram,
  ask: ({ around, person, text }) => around.telegram.say(person, text),
  shows: ({ around, person }) => around.telegram.shows(person),
};

const onDiscord: Platform = {
  answer: words(800),
  words: ["start"],
  env: (around) => around.onDiscord,
  ask: async ({ around, person, text }) => {
    await isKept(around);
    around.discord.say(person, text);
  },
  shows: ({ around, person }) => around.discord.shows(person),
};

const onDingtalk: Platform = {
  answer: words(4000),
  words: ["start"],
  env: (around) => around.onDingtalk,
  ask: ({ around, person, text }) => around.dingtalk.say(person, text),
  shows: ({ around, person }) => around.dingtalk.shows(person),
};

const PLATFORMS = {
  Telegram: onTelegram,
  "Telegram drafts": {
    ...onTelegram,
    env: (around) => ({ ...around.onTelegram, TELEGRAM_DRAFTS: "on" }),
  },
  "Discord DM": onDiscord,
  "Discord /ask": {
    ...onDiscord,
    ask: async ({ around, person, text }) => {
      await isKept(around);
      around.discord.ask(person, text);
    },
  },
  DingTalk: onDingtalk,
  "DingTalk cards": {
    ...onDingtalk,
    env: (around) => ({ ...around.onDingtalk, DINGTALK_CARD_TEMPLATE: "a.schema" }),
  },
  Web: {
    answer: [words(4000), words(300)].join("\n\n"),
    words: ["start"],
    env: (around) => around.onWeb,
    // A browser asks again until there is an answer.
    ask: ({ around, person, text }) => void around.web.say(person, text),
    shows: ({ around, person }) => around.web.shows(person),
  },
  Console: {
    answer: [words(50), words(60), words(70)].join("\n\n"),
    words: ["chat", "--user", "ann"],
    env: (around) => around.onConsole,
    ask: ({ program, text }) => program.type(`${text}\n`),
    shows: ({ program }) => program.output().split("\n").filter(Boolean),
    isTerminal: true,
  },
} satisfies Readonly<Record<string, Platform>>;

/** What comes before the gateway's session is in the store, in the first moments of all, has no second way to us. */
async function isKept({ discord }: Surroundings): Promise<void> {
  await until(() => discord.commands.length > 0);
}

function words(count: number): string {
  return `${Array.from({ length: count }, (_, n) => `word${n} `).join("")}END`;
}

/** These are reached for each message of an answer: the second is another case than the first. */
const REPEATED = ["sending", "sent", "recorded"];
const CELLS = STAGES.flatMap((step) => (REPEATED.includes(step) ? [`${step}:1`, `${step}:2`] : [step]));

/** Before the first message, and once all of it is saved, nothing knows which platform it is for: these stand for all. */
const WITH_ALL_STEPS: readonly string[] = ["Telegram", "Console"];
const WITHOUT_PLATFORM = ["loaded", "asked", "begun", "saved", "dropped"];
/** Where only the growing page differs from a platform above, so do only the steps about it. */
const SHOWS_OTHERWISE: readonly string[] = ["Telegram drafts", "DingTalk cards"];
const AS_ABOVE = ["received", "stored", "sending:2", "sent:2", "recorded:2"];

/** A growing answer is a draft or is edited; neither is possible in a pipe, and in DingTalk without cards. */
const NEVER: Readonly<Record<keyof typeof PLATFORMS, readonly string[]>> = {
  Telegram: ["drafted"],
  "Telegram drafts": ["edited"],
  "Discord DM": ["drafted"],
  "Discord /ask": ["drafted"],
  DingTalk: ["drafted", "edited"],
  "DingTalk cards": ["drafted"],
  Web: ["drafted"],
  Console: ["drafted", "edited"],
};

/**
 * - `whole`: the answer stands there once.
 * - `doubled`: one message too many.
 * - `unasked`: the process has died before it took the question in, for all the person can see.
 */
type Outcome = "whole" | "doubled" | "unasked";

/** What may come out besides `whole`. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, Outcome>>>> = {
  // A follow-up of a slash command has no nonce, and cannot be looked for.
  "Discord /ask": { "sent:1": "doubled", "sent:2": "doubled" },
  // A message has no key of ours, and the bot cannot read what stands in a conversation.
  DingTalk: { "sent:1": "doubled", "sent:2": "doubled" },
  // What was typed goes with the process, and so does the screen: what is not yet recorded as answered comes again.
  Console: { received: "unasked", shown: "doubled" },
};

/** How many processes crash side by side; those of other platforms may crash at the same time. */
const AT_ONCE = 2;

/** A message loses nothing, whichever of its steps the program dies at; the outcomes are printed as a table in the end. */
export function testCrashes(name: keyof typeof PLATFORMS): void {
  const platform: Platform = PLATFORMS[name];
  const left = [
    ...NEVER[name],
    ...(SHOWS_OTHERWISE.includes(name) ? AS_ABOVE : []),
    ...(WITH_ALL_STEPS.includes(name) ? [] : WITHOUT_PLATFORM),
  ];
  const cells = CELLS.filter((point) => !left.includes(point));
  /** The outcome of each cell, or why there is none. */
  const results = new Map<string, string>();

  test(`a crash at any step loses nothing on ${name}`, async () => {
    const waiting = [...cells];
    const take = () => waiting.shift();
    const report = (point: string, outcome: string) => void results.set(point, outcome);
    await Promise.all(Array.from({ length: AT_ONCE }, () => crashAtEach({ platform, take, report })));
    const bad = [...results].filter(
      ([point, outcome]) => outcome !== "whole" && outcome !== ALLOWED[name]?.[point],
    );
    expect(bad).toEqual([]);
    expect(results.size).toBe(cells.length);
  }, 300_000);

  afterAll(() => {
    const outcome = (point: string) => results.get(point) ?? "-";
    const count = (kind: string) => cells.filter((point) => outcome(point).startsWith(kind)).length;
    const rows = [
      ["killed at", name],
      ...cells.map((point) => [point, outcome(point).slice(0, 7)]),
      ...["LOST", "doubled"].map((kind) => [`${kind.toLowerCase()}, in all`, String(count(kind))]),
    ];
    const line = (row: readonly string[]) => row.map((text) => text.padEnd(17)).join("");
    process.stdout.write(`\n${rows.map(line).join("\n")}\n`);
  });
}

interface Crashes {
  readonly platform: Platform;
  /** The next point to crash at. */
  take(): string | undefined;
  report(point: string, outcome: string): void;
}

/** Lets one program after the other die: each goes on where the one before has died, and then dies itself. */
async function crashAtEach({ platform, take, report }: Crashes): Promise<void> {
  let chain: Chain | undefined;
  for (let point = take(); point; point = take()) {
    try {
      chain ??= await openChain(platform);
      report(point, await chain.crash(point));
    } catch (error) {
      report(point, `LOST: ${String(error)}`);
      // What has gone wrong here shall not go wrong at the next point too.
      await chain?.end();
      chain = undefined;
    }
  }
  await chain?.end();
}

type Chain = Awaited<ReturnType<typeof openChain>>;

async function openChain(platform: Platform) {
  const { answer } = platform;
  const around = await surroundings({
    reply: ({ messages }) =>
      messages.at(-1)?.content === "and then?" ? "nothing" : { text: answer, pieces: 40, delayMs: 40 },
  });
  const file = join(temporaryFolder(), "crash");
  const env = {
    ...platform.env(around),
    COLLOQUY_CRASH_FILE: file,
    NODE_OPTIONS: `--import=${join(import.meta.dirname, "../support/kill-at-stage.mjs")}`,
  };
  let program = await start();
  let person = "ann";
  let crashes = 0;
  /** What was said in the conversation of this person so far. */
  let said: string[] = [];
  return { crash, end: async () => program.signal("SIGKILL") };

  /** Asks, dies at this point, starts again, asks once more; what the person saw of the first answer. */
  async function crash(point: string): Promise<Outcome> {
    crashes += 1;
    if (!platform.isTerminal) {
      person = `ann${crashes}`;
      said = [];
    }
    await until(isIdle, "the end of what was asked before");
    writeFileSync(file, point);
    const already = shows().length;
    await ask("tell me");
    expect(await program.exited).toBe("SIGKILL");
    rmSync(file);
    const before = platform.isTerminal ? shows().slice(already) : [];

    program = await start();
    // Of a terminal nothing more is to be expected then.
    const isSettled = platform.isTerminal && (isWhole(before) || point === "received");
    if (!isSettled) await until(isThere, answerThere, 60_000);
    await ask("and then?");
    await until(() => shows().at(-1) === "nothing", answerThere, 60_000);
    const outcome = outcomeOf([...(isWhole(before) ? before : []), ...shows()]);
    if (outcome !== "unasked") said.push("tell me", answer);
    const asked = around.service.requests.at(-1)?.messages.map(({ content }) => content);
    expect(asked?.slice(1)).toEqual([...said, "and then?"]);
    said.push("and then?", "nothing");
    return outcome ?? expect.fail(`there is ${answerThere()}`);
  }

  async function start(): Promise<RunningProgram> {
    const started = runProgram(platform.words, env);
    if (!platform.isTerminal) await started.ready();
    return started;
  }

  async function ask(text: string): Promise<void> {
    await platform.ask({ around, program, person, text });
  }

  function shows(): readonly string[] {
    return platform.shows({ around, program, person });
  }

  function answerThere(): string {
    return `the answer; it is: ${flat(shows()).slice(-60)}${program.errors()}`;
  }

  function isWhole(messages: readonly string[]): boolean {
    return flat(messages) === flat([answer]);
  }

  function isThere(): boolean {
    return ["whole", "doubled"].includes(outcomeOf(shows()) ?? "");
  }

  /** How the first answer stands; undefined if it does not. */
  function outcomeOf(messages: readonly string[]): Outcome | undefined {
    const first = messages.filter((message) => message !== "nothing");
    const isTwice = platform.isTerminal
      ? flat(first) === flat([answer, answer])
      : first.some((_, index) => isWhole(first.toSpliced(index, 1)));
    return isWhole(first) ? "whole" : isTwice ? "doubled" : flat(first) === "" ? "unasked" : undefined;
  }

  /** Nothing that was stored waits: a crash now is one of what comes next. */
  function isIdle(): boolean {
    const steps = existsSync(`${file}.steps`) ? readFileSync(`${file}.steps`, "utf8").split("\n") : [];
    const count = (point: string) => steps.filter((step) => step === point).length;
    return count("stored") === count("dropped");
  }
}
