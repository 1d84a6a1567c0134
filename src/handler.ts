import type { Conversation } from "./conversation/conversation.ts";
import type { Choice } from "./text/dialect/dialect.ts";
import type { ChatEvent } from "./event.ts";
import type { Say } from "./i18n/texts.ts";
import type { Log } from "./log.ts";

/** What is said in answer, always Markdown: at once, as a stream that grows, to choose from, or nothing at all. */
export type Reply = string | AsyncIterable<string> | Offer | undefined;

/** A text with things to choose from: buttons where the platform has them, else commands to be written. */
export interface Offer {
  readonly text: string;
  readonly choices: readonly Choice[];
}

/**
 * Middleware, a command and the model's answer are the same thing.
 *
 * Contract: return a reply, or what `next()` returns, changed or not. Only the engine sends. What a handler
 * throws is logged, and the person gets an apology. A handler may run again for the same event after a
 * crash; what it changed in `turn.conversation` is kept only together with the whole answer.
 */
export type Handler = (turn: Turn, next: () => Promise<Reply>) => Reply | Promise<Reply>;

/** One event on its way to its answer. */
export interface Turn {
  readonly event: ChatEvent;
  /** Handlers may change it; it is saved together with the whole answer, or not at all. */
  readonly conversation: Conversation;
  /** Aborts when the person stops the answer (`Interrupted`) or the program stops (`Parked`). */
  readonly signal: AbortSignal;
  /** The language to answer in, as a BCP 47 tag. */
  readonly locale: string;
  /** Chat texts in that language. */
  readonly say: Say;
  /** An image that was sent in this conversation, as a `data:` URL; undefined if it cannot be had. */
  readonly image: (ref: string) => Promise<string | undefined>;
  readonly log: Log;
  /** Why there is no whole answer; the reply then tells the person. */
  failure?: Error;
}

/** A command such as `/reset`. */
export interface Command {
  readonly name: string;
  /** One line for the platform's menu, by language; "en" must be there. */
  readonly description: Readonly<Record<string, string>>;
  /** The one free-text argument, by language, if it takes one. */
  readonly argument?: Readonly<Record<string, string>>;
  /** The values that the argument may have, if it is not free; it may then be left out. */
  readonly choices?: readonly string[];
  /** It stops the answers to what the same person asked before it. */
  readonly interrupts?: boolean;
  /** It is not shown in menus. */
  readonly hidden?: boolean;
  readonly run: Handler;
}

/** Whether a reply comes in pieces. */
export function isStream(reply: Reply): reply is AsyncIterable<string> {
  return typeof reply === "object" && Symbol.asyncIterator in reply;
}

/** One handler that runs the given ones in order, each deciding whether to go on with `next()`. */
export function compose(handlers: readonly Handler[]): (turn: Turn) => Promise<Reply> {
  return (turn) => {
    const run = async (index: number): Promise<Reply> => handlers[index]?.(turn, () => run(index + 1));
    return run(0);
  };
}

/** Runs the command that the event names; passes everything else on. */
export function dispatch(commands: readonly Command[]): Handler {
  const byName = new Map(commands.map((command) => [command.name, command]));
  return (turn, next) => {
    const name = turn.event.command;
    if (name === undefined) return next();
    const command = byName.get(name);
    return command ? command.run(turn, next) : turn.say("command.unknown", { command: name });
  };
}
