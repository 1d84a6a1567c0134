import { createRequire } from "node:module";
import { Writable } from "node:stream";
import { pino, type DestinationStream, type Logger } from "pino";
import type PinoPretty from "pino-pretty";
import { harmlessJson, shownJson } from "./harmless.ts";
import { createScrubber } from "./secrets.ts";

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
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
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
