import type { Conversation } from "./conversation/conversation.ts";
import type { Choice } from "./text/dialect/dialect.ts";
import type { ChatEvent } from "./event.ts";
import type { Say } from "./i18n/texts.ts";
import type { Log } from "./log.ts";

/** An answer, always Markdown: a text, a stream of chunks, a text with choices, or nothing at all. */
export type Reply = string | AsyncIterable<string> | Offer | undefined;

/** A text with choices: buttons where the platform has them, otherwise commands to type. */
export interface Offer {
  readonly text: string;
  readonly choices: readonly Choice[];
}

/**
 * Answers a turn, or passes it on with `next()`. Middleware, a command and the model's answer are all handlers.
 *
 * Return a reply, or what `next()` returns, changed or not; only the engine sends. `next()` may be called once: a second
 * call rejects. If a handler throws, that is logged and the user gets an apology. A handler may run again for the same
 * event after a crash; its changes to `turn.conversation` are saved only together with the whole answer.
 *
 * @example const shout: Handler = async (turn, next) => (turn.event.text === "hi" ? "HI!" : next());
 */
export type Handler = (turn: Turn, next: () => Promise<Reply>) => Reply | Promise<Reply>;

/** One event on its way to its answer. */
export interface Turn {
  readonly event: ChatEvent;
  /** Handlers may change it; changes are saved together with the whole answer, or not at all. */
  readonly conversation: Conversation;
  /** Aborts when the user stops the answer (`Interrupted`) or the program stops (`Requeued`). */
  readonly signal: AbortSignal;
  /** The language to answer in, as a BCP 47 tag. */
  readonly locale: string;
  /** Looks up a chat text in that language. */
  readonly say: Say;
  /** Fetches an image of this conversation, as a `data:` URL; undefined if it is gone. */
  readonly image: (ref: string) => Promise<string | undefined>;
  readonly log: Log;
  /** Why there is no complete answer; the reply then says so to the user. */
  failure?: Error;
}

/** A command such as `/reset`. */
export interface Command {
  readonly name: string;
  /** One line for the platform's menu, by language; "en" is required. */
  readonly description: Readonly<Record<string, string>>;
  /** The name of the one free-text argument, by language, if the command has one. */
  readonly argument?: Readonly<Record<string, string>>;
  /** The values of the argument, if it is not free text; it is then optional. */
  readonly choices?: readonly string[];
  /** It stops the answers to what the same user asked before. */
  readonly interrupts?: boolean;
  /** Menus leave it out. */
  readonly hidden?: boolean;
  readonly run: Handler;
}

/** Whether a reply is a stream. */
export function isStream(reply: Reply): reply is AsyncIterable<string> {
  return typeof reply === "object" && Symbol.asyncIterator in reply;
}

/** Combines handlers into one that runs them in order; each decides whether to go on with `next()`. */
export function compose(handlers: readonly Handler[]): (turn: Turn) => Promise<Reply> {
  return (turn) => {
    let last = -1;
    const run = async (index: number): Promise<Reply> => {
      if (index <= last) throw new Error("next() was called twice: a handler may pass a turn on only once");
      last = index;
      return handlers[index]?.(turn, () => run(index + 1));
    };
    return run(0);
  };
}

/** Creates the handler that runs commands; other events are passed on. */
export function dispatch(commands: readonly Command[]): Handler {
  const byName = new Map(commands.map((command) => [command.name, command]));
  return (turn, next) => {
    const name = turn.event.command;
    if (name === undefined) return next();
    const command = byName.get(name);
    return command ? command.run(turn, next) : turn.say("command.unknown", { command: name });
  };
}
