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
  /** The models that users may choose from. The first one is the default. */
  readonly models: readonly [Model, ...Model[]];
  /** The default persona: what the model is told about itself before the conversation. */
  readonly persona: string;
  /** The personas that users may choose from, by name. */
  readonly personas: ReadonlyMap<string, string>;
  readonly limits: HistoryLimits;
}

/** A question, and everything that is sent to the model with it. */
export interface Prompt {
  readonly model: Model;
  /** What the model is told about itself; may be empty. */
  readonly persona: string;
  /** The persona and the summary of earlier messages. */
  readonly system: string;
  /** The history, oldest first. */
  readonly messages: readonly Message[];
  readonly question: Message;
  /** The maximum number of tokens in the request. */
  readonly budget: number;
}

/**
 * Builds the prompt of a turn from the conversation as it stands. If the chosen model or persona no longer exists, the
 * default is used.
 */
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

/** The event's text and images as a message to the model. */
export function questionOf({ text, attachments = [] }: ChatEvent): Message {
  const images = attachments.flatMap(({ kind, ref }) => (kind === "image" && ref !== undefined ? [ref] : []));
  return { role: "user", content: text, ...(images.length > 0 && { images }) };
}

/**
 * Streams the model's answer. If the service finds the request too long, it is repeated with half the budget, until
 * only the question is left.
 */
export async function* askModel(turn: Turn, prompt: Prompt): AsyncGenerator<string, Usage, void> {
  let { budget } = prompt;
  for (;;) {
    const request = await buildRequest({ ...prompt, budget });
    const messages = await fetchImages(request, turn.image);
    try {
      return yield* prompt.model.answer({ messages }, turn.signal);
    } catch (error) {
      const isShortest = historyLength(request, prompt) === 0;
      if (!(error instanceof ModelError) || error.code !== "too_long" || isShortest) throw error;
      budget = Math.floor(budget / 2);
      turn.log.warn({ budget }, "the request was too long for the model, trying again with fewer messages");
    }
  }
}

/** How many messages of the history fit in a request. */
export async function countFittingMessages(prompt: Prompt): Promise<number> {
  return historyLength(await buildRequest(prompt), prompt);
}

function buildRequest({ system, messages: history, budget, model, ...prompt }: Prompt): Promise<Message[]> {
  const messages = newestImages([...history, prompt.question]);
  const question = messages.pop() ?? prompt.question;
  return fitContext({ system, messages, question, budget, model: model.name });
}

function historyLength(request: readonly Message[], { system }: Prompt): number {
  return request.length - (system ? 2 : 1);
}

/** Adds the usage of a request to that of the conversation. `turns` is 0 for a request beside the answer itself. */
export function recordUsage(
  { conversation }: Turn,
  { model }: Prompt,
  { by = model, ...usage }: Usage,
  turns = 1,
): void {
  addUsage(conversation.usage, { ...usage, model: by.name, price: by.price, at: Date.now() }, turns);
}

/** Estimates the usage of an answer that broke off: a service reports the usage only at the end. */
export async function estimate(prompt: Prompt, answer: string): Promise<Usage> {
  const input = await countTokens(await buildRequest(prompt), prompt.model.name);
  return { input, output: await countTokens(answer, prompt.model.name), estimated: true };
}
