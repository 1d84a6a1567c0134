import {
  type AnswerOptions,
  type Prompt,
  askModel,
  buildPrompt,
  countFittingMessages,
  recordUsage,
} from "./prompt.ts";
import { describeError, ModelError } from "../errors.ts";
import type { Turn } from "../handler.ts";
import { excess } from "./limits.ts";

/** The longest summary that is stored, in UTF-16 units. */
const MAX_SUMMARY = 2000;

/**
 * Asks the model for a summary. The earlier messages and the last summary precede it in the request; the user's
 * question does not, as it is still to be answered.
 */
const SUMMARY_REQUEST =
  "Summarise our conversation so far for yourself, including your earlier summary: facts, names, decisions and open " +
  "questions. Write in the language of the conversation, in at most 150 words, and write nothing but the summary.";

/** Brings the conversation within its limits before a question. Returns a notice for the user, or an empty text. */
export async function compact(turn: Turn, options: AnswerOptions): Promise<string> {
  const { conversation } = turn;
  const { limits } = options;
  const { messages } = conversation;
  const prompt = buildPrompt(turn, options);
  // With "drop", messages beyond the token limit are left out of the request only: another model may have room for them.
  const fitting = limits.policy === "drop" ? messages.length : await countFittingMessages(prompt);
  const over = excess(limits, {
    messages,
    hasPersona: prompt.persona !== "",
    unfit: messages.length - fitting,
    now: Date.now(),
  });
  if (over === 0) return "";
  if (limits.policy === "summarise") return summarise(turn, over, prompt);
  conversation.messages = messages.slice(over);
  if (limits.policy === "drop") return "";
  return `*${turn.say("limit.reset")}*`;
}

/** Replaces the oldest messages with a summary by the model, or removes them if the model cannot write one. */
async function summarise(turn: Turn, count: number, prompt: Prompt): Promise<string> {
  const { conversation } = turn;
  const oldest = conversation.messages.slice(0, count);
  let summary = "";
  try {
    const request = {
      ...prompt,
      messages: oldest,
      question: { role: "user", content: SUMMARY_REQUEST } as const,
    };
    const chunks = askModel(turn, request);
    let next = await chunks.next();
    for (; !next.done; next = await chunks.next()) summary += next.value;
    recordUsage(turn, request, next.value, 0);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    turn.log.warn(
      { code: error.code },
      `the oldest messages are removed without a summary: ${describeError(error)}`,
    );
  }
  conversation.messages = conversation.messages.slice(count);
  if (!summary.trim()) return "";
  conversation.summary = truncate(summary.trim());
  return `**${turn.say("limit.summary")}**\n\n${conversation.summary}`.replace(/^/gm, "> ");
}

/** Shortens a summary without splitting a surrogate pair. */
function truncate(text: string): string {
  if (text.length <= MAX_SUMMARY) return text;
  return `${text.slice(0, MAX_SUMMARY - 1).replace(/\p{Surrogate}$/u, "")}…`;
}
