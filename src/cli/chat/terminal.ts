import { userInfo } from "node:os";
import { createConsole, openTerminal, type Seat } from "../../../adapters/console/index.ts";
import { createKeyedLock } from "../../store/keyed-lock.ts";
import { createHistory } from "../../conversation/conversation.ts";
import type { Command } from "../../handler.ts";
import { harmless, oneLine } from "../../sanitize/harmless.ts";
import { inEveryLanguage, texts } from "../../i18n/texts.ts";
import { createConsoleColloquy } from "../../program/console.ts";
import { openStore } from "../../store/store.ts";
import { createThreads, keyOf, type Threads } from "../../conversation/threads.ts";
import { newSeat, pickThread, pickUser } from "./picker.ts";
import { run } from "../run.ts";
import { save } from "./save.ts";
import { type ConsoleFlags, logTo, looks, settingsFor, systemLocale, toStderr } from "../surroundings.ts";
import { tellUsage } from "./told.ts";

/** Where to sit next: whose last conversation, or what is picked; nobody wants to sit any more if it is undefined. */
type Next = { readonly user: string } | "pick" | undefined;

/** A person at a terminal: one sitting after the other, each in one conversation. */
export async function chatOnTerminal(flags: ConsoleFlags & { readonly files: boolean }): Promise<void> {
  const { stdin, stdout } = process;
  const settings = settingsFor(flags);
  const log = logTo(process.stderr, settings);
  const locale = systemLocale() ?? "en";
  const say = texts(locale);
  const store = await openStore(settings.STORE_URL, toStderr);
  const history = createHistory(await store.open("history"));
  const alone = createKeyedLock(store, settings.STORE_URL);
  const threads = createThreads({ store, history, platform: "console", lock: alone });
  const picking = { threads, say, locale, input: stdin, output: stdout };
  let end = async () => {};

  const starting = run(log, async () => ({
    stop: () => end(),
    running: async () => {
      stdout.write(`${say("terminal.welcome")}\n`);
      for (let seat = await firstSeat(); seat; ) {
        const next = await sit(seat);
        if (next === undefined) return;
        seat = next === "pick" ? await pickThread(seat.user, picking) : await lastSeat(next.user, threads);
      }
    },
  }));
  try {
    await starting;
  } finally {
    await store.close();
  }

  /** Nobody is asked what goes without saying. */
  async function firstSeat(): Promise<Seat | undefined> {
    if (flags.user !== undefined) return lastSeat(flags.user, threads);
    const self = userInfo().username;
    const users = await threads.users();
    const user = users.some((one) => one.user !== self) ? await pickUser(picking) : self;
    if (user === undefined) return undefined;
    return (await threads.of(user)).length > 1 ? pickThread(user, picking) : lastSeat(user, threads);
  }

  async function sit(seat: Seat): Promise<Next> {
    const { user } = seat;
    const terminal = openTerminal({
      input: stdin,
      output: stdout,
      prompt: `\n${oneLine(user)}> `,
      leaveHint: say("terminal.leave"),
      history: await greet(seat),
    });
    const console = createConsole({
      input: terminal.said,
      output: stdout,
      user: () => seat,
      locale: systemLocale(),
      ...looks(),
      idle: () => terminal.prompt(),
    });
    let next: Next;
    const leave = (to: Next) => {
      next = to;
      terminal.close();
    };
    const commands = [...(flags.files ? [save(settings)] : []), ...leaving(leave)];
    const middleware = flags.usage ? [tellUsage(settings.CURRENCY)] : [];
    const options = { settings, log, store, console, chosen: flags, commands, middleware, user };
    let stopping: Promise<void> | undefined;
    end = () => {
      terminal.close();
      return (stopping ??= Promise.resolve());
    };
    const colloquy = await createConsoleColloquy(options);
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

  /** Says in which conversation it goes on; returns what was asked in it, newest first. */
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

/** A person's last active conversation, or their first. */
async function lastSeat(user: string, threads: Threads): Promise<Seat> {
  const all = await threads.of(user);
  return all[0] ? { user, thread: all[0].thread } : newSeat(user, all);
}

/** `/user` and `/exit`. */
function leaving(leave: (next: Next) => void): Command[] {
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
