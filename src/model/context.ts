import type { Message } from "./model.ts";
import { ANSWER_TOKENS, besidesText, type CountText, loadTokenizer } from "./tokens.ts";

/** What a request is made of. */
export interface ContextParts {
  /** The persona; empty for none. */
  readonly system?: string;
  /** What was said before, oldest first. */
  readonly messages: readonly Message[];
  readonly question: Message;
  /** The most tokens that the request may have; see `inputBudget`. */
  readonly budget: number;
  /** The model's name, for its way of counting. */
  readonly model?: string;
}

/** The most tokens kept free for the answer. */
const MAX_RESERVED = 4096;

/** What a request may take of a model's context: all but a quarter, or but 4096 tokens, kept for the answer. */
export function inputBudget(contextTokens: number): number {
  return contextTokens - Math.min(MAX_RESERVED, Math.ceil(contextTokens / 4));
}

/**
 * The messages of a request: the persona, as many of the newest turns as fit the budget, and the question.
 * Turns (a question and its answer) leave whole, oldest first. Persona and question always stay, even if
 * they do not fit: the service decides. After a `too_long` error call it again with a smaller budget.
 */
export async function fitContext(parts: ContextParts): Promise<Message[]> {
  const system: Message[] = parts.system ? [{ role: "system", content: parts.system }] : [];
  const { question } = parts;
  const first = parts.messages.findIndex(({ role }) => role === "user");
  const turns = first < 0 ? [] : parts.messages.slice(first);
  const all = [...system, ...turns, question];
  if (mostTokens(all) <= parts.budget) return all;
  const cost = createCounter(await loadTokenizer(parts.model), parts.model ?? "");
  let fixed = ANSWER_TOKENS;
  for (const message of [...system, question]) fixed += await cost(message);
  const from = await firstThatFits(parts.messages, parts.budget - fixed, cost);
  return [...system, ...parts.messages.slice(from), question];
}

/** No token is less than a byte of UTF-8: what is short enough by this needs no tokenizer, which is slow to load. */
function mostTokens(messages: readonly Message[]): number {
  return messages.reduce(
    (sum, message) => sum + besidesText(message) + Buffer.byteLength(message.content),
    ANSWER_TOKENS,
  );
}

/** Counts from the newest message back, and no further than the room goes. */
async function firstThatFits(
  messages: readonly Message[],
  room: number,
  cost: (message: Message) => Promise<number>,
): Promise<number> {
  let left = room;
  let first = messages.length;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    if (message) left -= await cost(message);
    if (left < 0) break;
    if (message?.role === "user") first = at;
  }
  return first;
}

const counted = new WeakMap<Message, { readonly model: string; readonly tokens: number }>();

/** Counts a message once, however often the budget shrinks. */
function createCounter(count: CountText, model: string): (message: Message) => Promise<number> {
  return async (message) => {
    const known = counted.get(message);
    if (known?.model === model) return known.tokens;
    const tokens = besidesText(message) + (await count(message.content));
    counted.set(message, { model, tokens });
    return tokens;
  };
}
