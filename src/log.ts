import { createRequire } from "node:module";
import { Writable } from "node:stream";
import { pino, type DestinationStream, type Logger } from "pino";
import type PinoPretty from "pino-pretty";
import { describeError, messageOf } from "./errors.ts";
import { harmlessJson, shownJson } from "./sanitize/harmless.ts";
import { createScrubber } from "./sanitize/secrets.ts";

/** Where the program tells the operator what happens; message text is never logged. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "child">;

export interface LogOptions {
  /** A pino level. */
  readonly level: string;
  readonly stream: NodeJS.WritableStream & { isTTY?: boolean };
  /** These strings never come out, wherever they stand: tokens, keys, passwords. */
  readonly secrets: readonly string[];
}

/** One JSON line per event; in a terminal, lines for people. */
export function createLog({ level, stream, secrets }: LogOptions): Log {
  const [out, show] = stream.isTTY ? [prettify(stream), shownJson] : [stream, harmlessJson];
  const clean = createScrubber(secrets);
  const destination: DestinationStream = { write: (line) => out.write(show(clean(line))) };
  const serializers = { err: serialize };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers }, destination);
}

/** An error has no more causes than this; a chain of them could be a circle. */
const MAX_CAUSES = 5;

/**
 * What an error is, why, and where it comes from. Not what else packages attach to errors: a request's body, or the row
 * of a table that a database refuses, hold what people say.
 */
function serialize(error: unknown): object {
  if (!(error instanceof Error)) return { message: describeError(error) };
  const stacks: string[] = [];
  for (let inner: unknown = error; inner instanceof Error && stacks.length < MAX_CAUSES; inner = inner.cause)
    stacks.push([`${inner.name}: ${messageOf(inner)}`, ...framesOf(inner)].join("\n"));
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { type: error.name, message: describeError(error), ...code, stack: stacks.join("\ncaused by: ") };
}

/** A stack begins with the message, which may look like frames. */
function framesOf({ stack = "", message }: Error): string[] {
  const end = stack.indexOf(message) + message.length;
  return stack
    .slice(Math.max(0, end))
    .split("\n")
    .filter((line) => /^ {4}at /.test(line));
}

/** The package is loaded only where people look on: everyone else starts sooner without it. */
function prettify(stream: NodeJS.WritableStream): DestinationStream {
  const pretty: typeof PinoPretty = createRequire(import.meta.url)("pino-pretty");
  return pretty({ destination: toWritable(stream), ignore: "pid,hostname", colorize: true });
}

/** pino-pretty ends its destination; the terminal must stay open. */
function toWritable(stream: NodeJS.WritableStream): Writable {
  return new Writable({ write: (chunk: Buffer, _, done) => void stream.write(chunk, done) });
}
