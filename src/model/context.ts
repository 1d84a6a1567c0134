import type { Message } from "./model.ts";
import { ANSWER_TOKENS, type CountText, loadTokenizer, overheadOf } from "./tokens.ts";

/** The parts of a request. */
export interface ContextParts {
  /** The persona; may be empty. */
  readonly system?: string;
  /** The history, oldest first. */
  readonly messages: readonly Message[];
  readonly question: Message;
  /** The maximum number of tokens in the request; see `inputBudget`. */
  readonly budget: number;
  /** The name of the model, which determines the tokenizer. */
  readonly model?: string;
}

/** The most tokens that are reserved for the answer. */
const MAX_RESERVED = 4096;

/** The tokens of a model's context that a request may use: a quarter, but at most 4096, are reserved for the answer. */
export function inputBudget(contextTokens: number): number {
  return contextTokens - Math.min(MAX_RESERVED, Math.ceil(contextTokens / 4));
}

/**
 * Builds the messages of a request: the persona, as many of the newest turns as fit in the budget, and the question.
 * The oldest turns are left out first, question and answer together. Persona and question are always included, even if
 * they do not fit: the service decides. After a `too_long` error, call it again with a smaller budget.
 */
export async function fitContext(parts: ContextParts): Promise<Message[]> {
  const system: Message[] = parts.system ? [{ role: "system", content: parts.system }] : [];
  const { question } = parts;
  const first = parts.messages.findIndex(({ role }) => role === "user");
  const turns = first < 0 ? [] : parts.messages.slice(first);
  const all = [...system, ...turns, question];
  if (maxTokens(all) <= parts.budget) return all;
  const cost = createCounter(await loadTokenizer(parts.model), parts.model ?? "");
  let fixed = ANSWER_TOKENS;
  for (const message of [...system, question]) fixed += await cost(message);
  const from = await firstFitting(parts.messages, parts.budget - fixed, cost);
  return [...system, ...parts.messages.slice(from), question];
}

/**
 * An upper bound on the number of tokens, because no token is shorter than one byte of UTF-8. Short requests do not need
 * the tokenizer then, which is slow to load.
 */
function maxTokens(messages: readonly Message[]): number {
  return messages.reduce(
    (sum, message) => sum + overheadOf(message) + Buffer.byteLength(message.content),
    ANSWER_TOKENS,
  );
}

/** The index of the oldest question that fits. Counts back from the newest message, only until the room is used up. */
async function firstFitting(
  messages: readonly Message[],
  room: number,
  cost: (message: Message) => Promise<number>,
): Promise<number> {
  let left = room;
  let first = messages.length;
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages[index];
    if (message) left -= await cost(message);
    if (left < 0) break;
    if (message?.role === "user") first = index;
  }
  return first;
}

const counted = new WeakMap<Message, { readonly model: string; readonly tokens: number }>();

/** Counts each message only once, however often the budget shrinks. */
function createCounter(count: CountText, model: string): (message: Message) => Promise<number> {
  return async (message) => {
    const known = counted.get(message);
    if (known?.model === model) return known.tokens;
    const tokens = overheadOf(message) + (await count(message.content));
    counted.set(message, { model, tokens });
    return tokens;
  };
}
