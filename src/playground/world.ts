import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConsole, type Said } from "../../adapters/console/index.ts";
import { createScreen } from "../../adapters/console/simulator.ts";
import { startDingtalkSimulator } from "../../adapters/dingtalk/simulator.ts";
import { startDiscordSimulator } from "../../adapters/discord/simulator.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator.ts";
import { loadSettings, type Settings } from "../../config/settings.ts";
import type { Log } from "../log.ts";
import { createConsoleColloquy } from "../main.ts";
import { answerOffline } from "../model/demo-answers.ts";
import { startModelSimulator } from "../model/simulator.ts";
import { openStore, type Store } from "../store.ts";
import { ansiHtml, entitiesHtml, markdownHtml, plainHtml, richHtml } from "./html.ts";
import { startWorker } from "./worker.ts";

/** The windows of the page that are drawn from simulators. */
export const WINDOWS = ["telegram", "discord", "dingtalk", "terminal"] as const;
export type WindowName = (typeof WINDOWS)[number];

/** A message in a window, as HTML that is safe. */
export interface Line {
  readonly mine: boolean;
  readonly html: string;
  readonly buttons?: readonly string[];
}

/** What can be made to go wrong, or be otherwise. */
export const CONTROLS = ["slow", "long", "busy", "drop", "kill", "flood"] as const;
export type Control = (typeof CONTROLS)[number];

/** The platforms, their people, and the program between them. */
export interface World {
  /** Where the program's own HTTP port is. */
  readonly web: string | undefined;
  readonly running: boolean;
  /** Whether the model is one that can be made to fail. */
  readonly simulatesModel: boolean;
  readonly slow: boolean;
  say(window: WindowName, person: string, text: string): void;
  press(window: WindowName, person: string, button: string): void;
  screen(window: WindowName, person: string): readonly Line[];
  control(what: Control): void;
  /** The steps of the newest message, with the ms since it was said. */
  journey(): readonly { readonly step: string; readonly ms: number }[];
  close(): Promise<void>;
}

/** So many messages are shown in a window. */
const SHOWN = 30;

/** The pause between two pieces of an answer, in ms: to be watched, or to be waited for. */
const PACE_MS = { usual: 25, slow: 250 };

/** A long answer: several messages on every platform. */
const LONG = 60;

/** Starts all of it; what it keeps goes with it. */
export async function openWorld({
  settings,
  log,
}: {
  readonly settings: Settings;
  readonly log: Log;
}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "colloquy-playground-"));
  const isReal = Boolean(settings.OPENAI_API_KEY || settings.OPENAI_BASE_URL);
  let slow = false;
  let long = false;
  const cardTemplate = { id: "playground.schema", field: "content" };
  const [telegram, discord, dingtalk, model] = await Promise.all([
    startTelegramSimulator(),
    startDiscordSimulator(),
    startDingtalkSimulator({ cardTemplate, redeliverMs: 2_000 }),
    startModelSimulator({
      reply: ({ messages }) => {
        const answer = answerOffline(messages);
        const text = long ? Array.from({ length: LONG }, () => answer).join("\n\n") : answer;
        const pieces = Math.max(1, Math.ceil(text.length / (long ? 200 : 12)));
        return { text, pieces, delayMs: slow ? PACE_MS.slow : PACE_MS.usual };
      },
      keep: 10,
    }),
  ]);
  const ofModel = isReal
    ? modelOf(settings)
    : { OPENAI_API_KEY: model.key, OPENAI_BASE_URL: model.baseURL, OPENAI_MODEL: "demo" };
  const steps = new Map<string, { readonly step: string; readonly at: number }[]>();
  const beganAt = new Map<string, number>();
  const worker = startWorker({
    env: {
      ...ofModel,
      COLLOQUY_FOLDER: folder,
      STORE_URL: `sqlite:${join(folder, "store.sqlite")}`,
      HTTP_PORT: "0",
      LOG_LEVEL: "error",
      MESSAGES_PER_MINUTE: "1000",
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.apiRoot,
      DISCORD_BOT_TOKEN: discord.token,
      DISCORD_API_ROOT: discord.apiRoot,
      DINGTALK_CLIENT_ID: dingtalk.clientId,
      DINGTALK_CLIENT_SECRET: dingtalk.clientSecret,
      DINGTALK_API_ROOT: dingtalk.apiRoot,
      DINGTALK_CARD_TEMPLATE: cardTemplate.id,
    },
    reached: ({ step, event, at }) => {
      if (!beganAt.has(event.id)) beganAt.set(event.id, event.at);
      steps.set(event.id, [...(steps.get(event.id) ?? []), { step, at }].slice(-60));
      for (const id of [...steps.keys()].slice(0, -20)) {
        steps.delete(id);
        beganAt.delete(id);
      }
    },
  });
  const terminals = new Map<string, ReturnType<typeof openTerminal>>();
  const terminalSettings = loadSettings({
    ...ofModel,
    STORE_URL: `sqlite:${join(folder, "terminal.sqlite")}`,
    LOG_LEVEL: "silent",
  });
  const store = await openStore(terminalSettings.STORE_URL);
  const lines: Readonly<Record<WindowName, (person: string) => readonly Line[]>> = {
    telegram: (person) => {
      const shown = telegram.screen(person).map(({ from, text, entities, rich, buttons }) => ({
        mine: from !== "bot",
        html: rich ? richHtml(rich.blocks) : entitiesHtml(text, entities),
        ...(buttons && { buttons }),
      }));
      return telegram.typing(person) ? [...shown, TYPING] : shown;
    },
    discord: (person) =>
      discord.screen(person).map(({ from, text, state, files = [], buttons }) => ({
        mine: from !== "bot",
        html:
          state === "thinking"
            ? TYPING.html
            : markdownHtml([text, ...files.map(({ name }) => `📎 ${name}`)].join("\n\n")),
        ...(buttons && { buttons }),
      })),
    dingtalk: (person) =>
      dingtalk.screen(person).map(({ from, text, isGrowing }) => ({
        mine: from !== "bot",
        html: from === "bot" ? markdownHtml(text) + (isGrowing ? TYPING.html : "") : plainHtml(text),
      })),
    terminal: (person) =>
      terminal(person)
        .lines()
        .map((line) => ({ mine: false, html: ansiHtml(line) || "&nbsp;" })),
  };

  return {
    get web() {
      return worker.url;
    },
    get running() {
      return worker.running;
    },
    simulatesModel: !isReal,
    get slow() {
      return slow;
    },
    say: (window, person, text) => {
      if (window === "telegram") telegram.say(person, text);
      else if (window === "dingtalk") dingtalk.say(person, text);
      else if (window === "terminal") terminal(person).say(text);
      else sayOnDiscord(person, text);
    },
    press: (window, person, button) => {
      if (window === "telegram") telegram.press(person, button);
      if (window === "discord") discord.press(person, button);
    },
    screen: (window, person) => lines[window](person).slice(-SHOWN),
    control: (what) => {
      if (what === "slow") slow = !slow;
      if (what === "long") long = !long;
      if (what === "busy") model.fail({ status: 429, times: 3 });
      if (what === "drop") {
        discord.dropSockets();
        telegram.fail({ method: "getUpdates", how: "reset" });
      }
      if (what === "kill") worker.kill();
      if (what === "flood") {
        const body = {
          ok: false,
          error_code: 429,
          description: "Too Many Requests: retry after 2",
          parameters: { retry_after: 2 },
        };
        for (const method of ["sendMessage", "editMessageText"])
          telegram.fail({ method, how: { status: 429, body }, times: 2 });
      }
    },
    journey: () => {
      const [id, all = []] = [...steps].at(-1) ?? [];
      const began = beganAt.get(id ?? "") ?? 0;
      return all.map(({ step, at }) => ({ step, ms: at - began }));
    },
    close: async () => {
      await worker.close();
      await Promise.all([...terminals.values()].map((one) => one.close()));
      await store.close();
      await Promise.all([telegram.close(), discord.close(), dingtalk.close(), model.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };

  function terminal(person: string) {
    const known = terminals.get(person) ?? openTerminal({ settings: terminalSettings, store, log, person });
    terminals.set(person, known);
    return known;
  }

  /** A line that begins with a slash is a slash command, where the bot has registered it. */
  function sayOnDiscord(person: string, text: string): void {
    const [, command, rest = ""] = /^\/(\w+)\s*(.*)$/s.exec(text) ?? [];
    if (command && discord.commands.some(({ name }) => name === command))
      discord.ask(person, rest, { command });
    else discord.say(person, text);
  }
}

const TYPING: Line = { mine: false, html: '<span class="typing">•••</span>' };

/** What the program is told of a real model. */
function modelOf(settings: Settings): Record<string, string> {
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url, OPENAI_MODEL: model } = settings;
  return { ...(key && { OPENAI_API_KEY: key }), ...(url && { OPENAI_BASE_URL: url }), OPENAI_MODEL: model };
}

interface TerminalOptions {
  readonly settings: Settings;
  readonly store: Store;
  readonly log: Log;
  readonly person: string;
}

/** The console adapter on a terminal that can be looked at; not within the worker, as a terminal is its own process. */
function openTerminal({ settings, store, log, person }: TerminalOptions) {
  const screen = createScreen({ isTTY: true, columns: 60, rows: 24 });
  const typed: Said[] = [];
  let wake = () => {};
  let over = false;
  const input = (async function* () {
    while (!over) {
      const next = typed.shift();
      if (next) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  })();
  const console = createConsole({ input, output: screen.output, user: person, color: true });
  const quiet = log.child({}, { level: "error" });
  const opening = createConsoleColloquy({ settings, log: quiet, console, store, user: person }).then(
    async (colloquy) => {
      await colloquy.start();
      return colloquy;
    },
  );
  return {
    lines: () => screen.lines(),
    say: (text: string) => {
      screen.output.write(`\n\u001B[1m${person}>\u001B[0m ${text.replace(/\p{Cc}/gu, " ")}\n`);
      typed.push({ text });
      wake();
    },
    close: async () => {
      over = true;
      wake();
      await (await opening).stop();
    },
  };
}
