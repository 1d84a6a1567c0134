import { createRequire } from "node:module";
import { Writable } from "node:stream";
import { pino, type DestinationStream, type Logger } from "pino";
import type PinoPretty from "pino-pretty";
import { describeError, messageOf } from "./errors.ts";
import { harmlessJson, shownJson } from "./sanitize/harmless.ts";
import { createScrubber } from "./sanitize/secrets.ts";

/** A logger for the operator, in the manner of pino. Message text is never logged. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "child">;

/** The part of a logger that adapters use. */
export type AdapterLog = Pick<Log, "info" | "warn" | "error">;

const discard = () => undefined;

/** A logger that discards everything; the default of adapters. */
export const SILENT_LOG: AdapterLog = { info: discard, warn: discard, error: discard };

export interface LogOptions {
  /** A pino level. */
  readonly level: string;
  readonly stream: NodeJS.WritableStream & { isTTY?: boolean };
  /** Strings that never appear in the output: tokens, keys, passwords. */
  readonly secrets: readonly string[];
}

/** Creates a logger that writes one JSON line per entry, or readable lines in a terminal. */
export function createLog({ level, stream, secrets }: LogOptions): Log {
  const [out, show] = stream.isTTY ? [prettify(stream), shownJson] : [stream, harmlessJson];
  const clean = createScrubber(secrets);
  const destination: DestinationStream = { write: (line) => out.write(show(clean(line))) };
  const serializers = { err: serialize };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers }, destination);
}

/** How many causes of an error are logged; a chain of causes could be circular. */
const MAX_CAUSES = 5;

/**
 * The type, message, code and stack of an error, and nothing else that packages attach to errors: a request body or a
 * rejected database row may hold what users wrote.
 */
function serialize(error: unknown): object {
  if (!(error instanceof Error)) return { message: describeError(error) };
  const stacks: string[] = [];
  for (let inner: unknown = error; inner instanceof Error && stacks.length < MAX_CAUSES; inner = inner.cause)
    stacks.push([`${inner.name}: ${messageOf(inner)}`, ...framesOf(inner)].join("\n"));
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { type: error.name, message: describeError(error), ...code, stack: stacks.join("\ncaused by: ") };
}

/** The frames of a stack, which begins with the message; lines of the message may look like frames. */
function framesOf({ stack = "", message }: Error): string[] {
  const end = stack.indexOf(message) + message.length;
  return stack
    .slice(Math.max(0, end))
    .split("\n")
    .filter((line) => /^ {4}at /.test(line));
}

/** Loads pino-pretty only for a terminal, because other processes start faster without it. */
function prettify(stream: NodeJS.WritableStream): DestinationStream {
  const pretty: typeof PinoPretty = createRequire(import.meta.url)("pino-pretty");
  return pretty({ destination: toWritable(stream), ignore: "pid,hostname", colorize: true });
}

/** Wraps a stream, because pino-pretty ends its destination and the terminal must stay open. */
function toWritable(stream: NodeJS.WritableStream): Writable {
  return new Writable({ write: (chunk: Buffer, _, done) => void stream.write(chunk, done) });
}
