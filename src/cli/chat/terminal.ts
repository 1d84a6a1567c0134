import { userInfo } from "node:os";
import type { Seat } from "../../../adapters/console/index.ts";
import { keyOf, type Threads } from "../../conversation/threads.ts";
import type { Command } from "../../handler.ts";
import { inEveryLanguage, texts } from "../../i18n/texts.ts";
import { createConsoleColloquy } from "../../program/console.ts";
import { harmless, oneLine } from "../../sanitize/harmless.ts";
import { seatAtTerminal } from "../console.ts";
import { type ConsoleFlags, systemLocale } from "../environment.ts";
import { run } from "../run.ts";
import { openThreads } from "../threads.ts";
import { outputMiddleware } from "./output.ts";
import { newSeat, pickThread, pickUser } from "./picker.ts";
import { save } from "./save.ts";
import { type ChatSession, withSession } from "./session.ts";

type TerminalFlags = ConsoleFlags & { readonly files: boolean };

/** What follows a conversation: a user's last conversation, or one to be picked; undefined ends the program. */
type Next = { readonly user: string } | "pick" | undefined;

/** Chats on a terminal: one conversation after the other, until the user leaves. */
export async function chatOnTerminal(flags: TerminalFlags): Promise<void> {
  await withSession(flags, (session) => chatInSession(session, flags));
}

async function chatInSession(session: ChatSession, flags: TerminalFlags): Promise<void> {
  const { settings, log, store } = session;
  const { stdin, stdout } = process;
  const locale = systemLocale() ?? "en";
  const say = texts(locale);
  const threads = await openThreads(store, settings.STORE_URL);
  const picker = { threads, say, locale, input: stdin, output: stdout };
  let end = async () => {};

  await run(log, async () => ({
    stop: () => end(),
    running: async () => {
      stdout.write(`${say("terminal.welcome")}\n`);
      for (let seat = await firstSeat(); seat; ) {
        const next = await converseAt(seat);
        if (next === undefined) return;
        seat = next === "pick" ? await pickThread(seat.user, picker) : await lastSeat(next.user, threads);
      }
    },
  }));

  /** Lets the user pick only if there is more than one choice. */
  async function firstSeat(): Promise<Seat | undefined> {
    if (flags.user !== undefined) return lastSeat(flags.user, threads);
    const self = userInfo().username;
    const users = await threads.users();
    const user = users.some((one) => one.user !== self) ? await pickUser(picker) : self;
    if (user === undefined) return undefined;
    return (await threads.of(user)).length > 1 ? pickThread(user, picker) : lastSeat(user, threads);
  }

  async function converseAt(seat: Seat): Promise<Next> {
    const { user } = seat;
    const { adapter: console, terminal } = seatAtTerminal(seat, await greet(seat));
    let next: Next;
    const leave = (to: Next) => {
      next = to;
      terminal.close();
    };
    const commands = [...(flags.files ? [save(settings)] : []), ...leavingCommands(leave)];
    const middleware = outputMiddleware(flags, settings);
    let stopping: Promise<void> | undefined;
    end = () => {
      terminal.close();
      return (stopping ??= Promise.resolve());
    };
    const colloquy = await createConsoleColloquy({
      ...session,
      console,
      chosen: flags,
      commands,
      middleware,
      user,
    });
    end = () => {
      terminal.close();
      return (stopping ??= colloquy.stop());
    };
    try {
      await colloquy.start();
      await console.ended;
      return next;
    } finally {
      await end();
    }
  }

  /** Prints which conversation continues; returns the questions asked in it, newest first. */
  async function greet({ user, thread }: Seat): Promise<string[]> {
    const { messages } = await threads.load(keyOf("console", user, thread));
    const count = messages.length;
    const name = oneLine(user);
    const known = (await threads.of(user)).find((one) => one.thread === thread);
    const greeting = known
      ? say("terminal.resumed", { user: name, title: oneLine(known.title), count })
      : say("terminal.begun", { user: name });
    stdout.write(`${greeting}\n`);
    const asked = messages.filter(({ role }) => role === "user").map(({ content }) => content);
    return asked
      .map(harmless)
      .filter((text) => !text.includes("\n"))
      .toReversed();
  }
}

/** The conversation in which a user was last active, or their first one. */
async function lastSeat(user: string, threads: Threads): Promise<Seat> {
  const all = await threads.of(user);
  return all[0] ? { user, thread: all[0].thread } : newSeat(user, all);
}

/** The commands `/user` and `/exit`. */
function leavingCommands(leave: (next: Next) => void): Command[] {
  return [
    {
      name: "user",
      description: inEveryLanguage("terminal.user.description"),
      argument: inEveryLanguage("terminal.user.argument"),
      run: ({ event }) => {
        const user = event.text.trim();
        leave(user ? { user } : "pick");
        return undefined;
      },
    },
    {
      name: "exit",
      description: inEveryLanguage("terminal.exit.description"),
      run: () => {
        leave(undefined);
        return undefined;
      },
    },
  ];
}
