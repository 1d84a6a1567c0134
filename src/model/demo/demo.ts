import { setTimeout as sleep } from "node:timers/promises";
import { answerOffline } from "./answers.ts";
import type { Message, Model, Usage } from "../model.ts";
import { countTokens } from "../tokens.ts";

export interface DemoOptions {
  /** The time between two chunks of an answer, in ms. */
  readonly delayMs?: number;
}

/** The characters in a chunk of a short answer. A long answer has larger chunks, so that it does not take minutes. */
const CHUNK = 8;
const MAX_CHUNKS = 400;

/** Creates a model that answers offline, for trials without a service. The same conversation gets the same answer. */
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
  const size = Math.max(CHUNK, Math.ceil(characters.length / MAX_CHUNKS));
  for (let start = 0; start < characters.length; start += size) {
    yield characters.slice(start, start + size).join("");
    await sleep(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  return { input: await countTokens(messages), output: await countTokens(text), estimated: true };
}
