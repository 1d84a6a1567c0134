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

/** The longest note of what was said before, in UTF-16 units. */
const MAX_SUMMARY = 2000;

/**
 * What the model is asked for its note; it has what was said, and its last note, before it. Without the person's
 * question: that is still to be answered.
 */
const SUMMARISE =
  "Summarise our conversation so far, with what was said earlier, for yourself: facts, names, decisions, what is " +
  "still open. Write in the language of the conversation, at most 150 words, nothing but the summary.";

/** Keeps the conversation within its limits before the question is asked; returns what the person is told about it. */
export async function compact(turn: Turn, options: AnswerOptions): Promise<string> {
  const { conversation } = turn;
  const { limits } = options;
  const { messages } = conversation;
  const prompt = buildPrompt(turn, options);
  // What is dropped for its tokens stays in the record: another model may take more.
  const fit = limits.policy === "drop" ? messages.length : await countFittingMessages(prompt);
  const over = excess(limits, {
    messages,
    persona: prompt.persona !== "",
    unfit: messages.length - fit,
    now: Date.now(),
  });
  if (over === 0) return "";
  if (limits.policy === "summarise") return summarise(turn, over, prompt);
  conversation.messages = messages.slice(over);
  if (limits.policy === "drop") return "";
  return `*${turn.say("limit.reset")}*`;
}

/** The oldest messages become a note in the model's words; if it cannot write one, they are left out without it. */
async function summarise(turn: Turn, count: number, prompt: Prompt): Promise<string> {
  const { conversation } = turn;
  const older = conversation.messages.slice(0, count);
  let summary = "";
  try {
    const request = { ...prompt, messages: older, question: { role: "user", content: SUMMARISE } as const };
    const pieces = askModel(turn, request);
    let next = await pieces.next();
    for (; !next.done; next = await pieces.next()) summary += next.value;
    recordUsage(turn, request, next.value, 0);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    turn.log.warn({ code: error.code }, `no note of what is left out: ${describeError(error)}`);
  }
  conversation.messages = conversation.messages.slice(count);
  if (!summary.trim()) return "";
  conversation.summary = clip(summary.trim());
  return `**${turn.say("limit.summary")}**\n\n${conversation.summary}`.replace(/^/gm, "> ");
}

/** Half a character would be none. */
function clip(text: string): string {
  if (text.length <= MAX_SUMMARY) return text;
  return `${text.slice(0, MAX_SUMMARY - 1).replace(/\p{Surrogate}$/u, "")}…`;
}
