import { withSummary } from "../conversation/conversation.ts";
import { ModelError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import type { Turn } from "../handler.ts";
import { fetchImages, newestImages } from "../model/images.ts";
import type { HistoryLimits } from "./limits.ts";
import { fitContext, inputBudget } from "../model/context.ts";
import type { Message, Model, Usage } from "../model/model.ts";
import { countTokens } from "../model/tokens.ts";
import { addUsage } from "../conversation/usage.ts";

export interface AnswerOptions {
  /** Those that people may choose; the first one for who has not chosen. */
  readonly models: readonly [Model, ...Model[]];
  /** What the model is told about itself, before the conversation, by those who have not chosen. */
  readonly persona: string;
  /** Those that people may choose, by name. */
  readonly personas: ReadonlyMap<string, string>;
  readonly limits: HistoryLimits;
}

/** A question with all that the model is sent with it. */
export interface Prompt {
  readonly model: Model;
  /** What the model is told about itself; empty for nothing. */
  readonly persona: string;
  /** The persona, and what was said before the messages, in short. */
  readonly system: string;
  /** What was said before, oldest first. */
  readonly messages: readonly Message[];
  readonly question: Message;
  /** The most tokens of the request. */
  readonly budget: number;
}

/** The question of a turn, as the conversation stands. A model or persona that is not there any more counts as not chosen. */
export function buildPrompt({ conversation, event }: Turn, options: AnswerOptions): Prompt {
  const { models, personas, limits } = options;
  const model = models.find(({ name }) => name === conversation.model) ?? models[0];
  const persona = conversation.system ?? personas.get(conversation.persona ?? "") ?? options.persona;
  return {
    model,
    persona,
    system: withSummary(persona, conversation.summary),
    messages: conversation.messages,
    question: questionOf(event),
    budget: Math.min(inputBudget(model.contextTokens), limits.tokens ?? Number.POSITIVE_INFINITY),
  };
}

/** What someone has said, as the model is asked it. */
export function questionOf({ text, attachments = [] }: ChatEvent): Message {
  const images = attachments.flatMap(({ kind, ref }) => (kind === "image" && ref !== undefined ? [ref] : []));
  return { role: "user", content: text, ...(images.length > 0 && { images }) };
}

/** A request that turns out too long for the model is made again with less of the past, down to the question. */
export async function* askModel(turn: Turn, prompt: Prompt): AsyncGenerator<string, Usage, void> {
  let { budget } = prompt;
  for (;;) {
    const request = await requestOf({ ...prompt, budget });
    const messages = await fetchImages(request, turn.image);
    try {
      return yield* prompt.model.answer({ messages }, turn.signal);
    } catch (error) {
      const nothingLess = pastIn(request, prompt) === 0;
      if (!(error instanceof ModelError) || error.code !== "too_long" || nothingLess) throw error;
      budget = Math.floor(budget / 2);
      turn.log.warn({ budget }, `the conversation is too long for the model, asking with less of it`);
    }
  }
}

/** How many of the messages fit. */
export async function countFittingMessages(prompt: Prompt): Promise<number> {
  return pastIn(await requestOf(prompt), prompt);
}

function requestOf({ system, messages: past, question: prompt, budget, model }: Prompt): Promise<Message[]> {
  const messages = newestImages([...past, prompt]);
  const question = messages.pop() ?? prompt;
  return fitContext({ system, messages, question, budget, model: model.name });
}

function pastIn(request: readonly Message[], { system }: Prompt): number {
  return request.length - (system ? 2 : 1);
}

/** Adds what was asked to what the conversation has cost; `turns` is 0 for what was asked beside the answer. */
export function recordUsage(
  { conversation }: Turn,
  { model }: Prompt,
  { by = model, ...usage }: Usage,
  turns = 1,
): void {
  addUsage(conversation.usage, { ...usage, model: by.name, price: by.price, at: Date.now() }, turns);
}

/** What an answer that broke off has cost, as far as it can be told: the service tells only at the end. */
export async function estimate(prompt: Prompt, said: string): Promise<Usage> {
  const input = await countTokens(await requestOf(prompt), prompt.model.name);
  return { input, output: await countTokens(said, prompt.model.name), estimated: true };
}
