import { setTimeout as sleep } from "node:timers/promises";
import { answerOffline } from "./answers.ts";
import type { Message, Model, Usage } from "../model.ts";
import { countTokens } from "../tokens.ts";

export interface DemoOptions {
  /** The time between two pieces of an answer, in ms. */
  readonly delayMs?: number;
}

/** Characters in a piece of a short answer; a long answer has larger pieces, so that it does not take minutes. */
const PIECE = 8;
const MAX_PIECES = 400;

/** Answers offline, always the same to the same conversation; for trying things out without any service. */
export function createDemoModel({ delayMs = 8 }: DemoOptions = {}): Model {
  return {
    name: "demo",
    contextTokens: 32_768,
    answer: ({ messages }, signal) => stream(messages, signal, delayMs),
  };
}

async function* stream(
  messages: readonly Message[],
  signal: AbortSignal,
  delayMs: number,
): AsyncGenerator<string, Usage, void> {
  signal.throwIfAborted();
  const text = answerOffline(messages);
  const characters = Array.from(text);
  const size = Math.max(PIECE, Math.ceil(characters.length / MAX_PIECES));
  for (let at = 0; at < characters.length; at += size) {
    yield characters.slice(at, at + size).join("");
    await sleep(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  return { input: await countTokens(messages), output: await countTokens(text), estimated: true };
}
