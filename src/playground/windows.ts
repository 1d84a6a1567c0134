import type { DingtalkSimulator } from "../../adapters/dingtalk/simulator/simulator.ts";
import type { DiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import type { TelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import type { CommandName, Line } from "./protocol.ts";
import { showDingtalk } from "./show/dingtalk.ts";
import { showDiscord } from "./show/discord.ts";
import { showTelegram } from "./show/telegram.ts";

/** What one user sees in a window. */
export interface Seen {
  readonly lines: readonly Line[];
  readonly typing: boolean;
  readonly commands: readonly CommandName[];
}

/** A platform's window, which users see and use. */
export interface PlayWindow {
  see(person: string): Seen;
  /** Sends a message. `locale` is the language of the user's app, "en" or "zh". */
  say(person: string, text: string, locale: string): void;
  /** Presses a button below a message. */
  press?(person: string, button: string): void;
  /** Presses the stop button of a draft. */
  stop?(person: string): void;
}

/** In UTF-16 units; the app splits longer messages (core.telegram.org/method/help.getConfig, message_length_max). */
const TELEGRAM_MESSAGE = 4096;

/** The window of a phone with Telegram. */
export function telegramWindow(telegram: TelegramSimulator, locale: () => string): PlayWindow {
  return {
    see: (person) => {
      const lines = telegram.screen(person).map(
        ({ from, id, buttons, edits, ...message }): Line => ({
          id: `${id}`,
          from: from === "bot" ? "bot" : "me",
          shapes: showTelegram(message),
          edits,
          ...(buttons && { buttons }),
        }),
      );
      const draft = telegram.draft(person);
      if (draft) {
        lines.push({
          id: `draft ${draft.id}`,
          from: "draft",
          shapes: showTelegram(draft),
          ...(draft.canStop && { state: "growing" }),
        });
      }
      const commands = telegram
        .commands(locale())
        .map(({ command, description }) => ({ name: command, description }));
      return { lines, typing: telegram.typing(person), commands };
    },
    say: (person, text, locale) => {
      for (let at = 0; at < text.length; at += TELEGRAM_MESSAGE) {
        telegram.say(person, text.slice(at, at + TELEGRAM_MESSAGE), {
          locale: locale === "zh" ? "zh-hans" : "en",
        });
      }
    },
    press: (person, button) => void telegram.press(person, button),
    stop: (person) => void telegram.stop(person),
  };
}

/** The window of Discord with the direct messages of the bot. */
export function discordWindow(discord: DiscordSimulator): PlayWindow {
  return {
    see: (person) => ({
      lines: discord.screen(person).map(
        ({ from, id, text, edits, state, files, buttons }): Line => ({
          id,
          from: from === "bot" ? "bot" : "me",
          shapes: showDiscord(text),
          edits,
          ...(state && { state }),
          ...(files && { files }),
          ...(buttons && { buttons }),
        }),
      ),
      typing: discord.typing(person),
      commands: discord.commands.map(({ name, description }) => ({ name, description })),
    }),
    say: (person, text, locale) => {
      const [, command, rest = ""] = /^\/([a-z]+)(?:\s([^]*))?$/.exec(text.trim()) ?? [];
      if (command === undefined) return void discord.say(person, text);
      discord.ask(person, rest.trim(), { command, locale: locale === "zh" ? "zh-CN" : "en-US" });
    },
    press: (person, button) => void discord.press(person, button),
  };
}

/** The window of DingTalk with the robot's conversation. */
export function dingtalkWindow(dingtalk: DingtalkSimulator): PlayWindow {
  return {
    see: (person) => ({
      lines: dingtalk.screen(person).map(
        ({ from, title, text, isGrowing }, index): Line => ({
          id: `${index}`,
          from: from === "bot" ? "bot" : "me",
          shapes: from === "bot" ? showDingtalk(text) : [text],
          ...(title !== undefined && { title }),
          ...(isGrowing && { state: text ? "growing" : "thinking" }),
        }),
      ),
      typing: false,
      commands: [],
    }),
    say: (person, text) => void dingtalk.say(person, text),
  };
}
