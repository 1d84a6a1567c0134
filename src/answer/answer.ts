import { type AnswerOptions, askModel, buildPrompt, estimate, recordUsage, questionOf } from "./prompt.ts";
import { describeError, Interrupted, ModelError } from "../errors.ts";
import type { Handler, Turn } from "../handler.ts";
import type { Usage } from "../model/model.ts";
import { emit } from "../telemetry/events.ts";
import { compact } from "./compaction.ts";
import { closingFence } from "../text/fence.ts";

/** The last handler: sends the question to the model with the conversation so far, and appends both to the history. */
export function createAnswer(options: AnswerOptions): Handler {
  return (turn) => {
    rewind(turn);
    const { text, attachments = [] } = turn.event;
    const { images } = questionOf(turn.event);
    if (!text.trim() && !images) return turn.say(attachments.length > 0 ? "text.only" : "text.empty");
    return answer(turn, options);
  };
}

/** Yields the answer, or as much of it as there is and the reason why it is incomplete. */
async function* answer(turn: Turn, options: AnswerOptions): AsyncGenerator<string> {
  let text = "";
  let usage: Usage | undefined;
  let failure = "";
  try {
    const notice = await compact(turn, options);
    if (notice) yield `${notice}\n\n`;
    const chunks = askModel(turn, buildPrompt(turn, options));
    for (let next = await chunks.next(); ; next = await chunks.next()) {
      if (next.done) {
        usage = next.value;
        break;
      }
      text += next.value;
      yield next.value;
    }
  } catch (error) {
    failure = explain(turn, error);
  }
  const prompt = buildPrompt(turn, options);
  recordUsage(turn, prompt, usage ?? (text ? await estimate(prompt, text) : NOTHING));
  appendToHistory(turn, text);
  if (failure) yield text ? `${closingFence(text)}\n\n*${failure}*` : failure;
}

/** Removes the messages from which on the user asks anew, as after editing an earlier question. */
function rewind({ conversation, event: { rewinds } }: Turn): void {
  if (rewinds !== undefined) conversation.messages = conversation.messages.filter(({ at }) => at < rewinds);
}

/** The usage of an answer without any text. */
const NOTHING: Usage = { input: 0, output: 0, estimated: false };

/**
 * The text for a turn that failed or was stopped, with the number of attempts. Attempts are mentioned only at the end:
 * a reply cannot take anything back while it streams, so a note such as "trying again" would remain in the answer.
 */
function explain(turn: Turn, error: unknown): string {
  if (error instanceof Interrupted) return turn.say("stopped");
  if (!(error instanceof ModelError)) throw error;
  turn.failure = error;
  emit("error", { kind: "model", code: error.code });
  turn.log.error(
    { code: error.code, status: error.status },
    `the model did not answer: ${describeError(error)}`,
  );
  const { count, ms } = error.tries;
  const attempts = count > 1 ? ` ${turn.say("model.tried", { count, seconds: Math.ceil(ms / 1000) })}` : "";
  return turn.say(`model.${error.code}`) + attempts;
}

/** Appends the turn to the history. A question without an answer is left out: asked again, it would appear twice. */
function appendToHistory({ conversation, event }: Turn, answer: string): void {
  if (!answer.trim()) return;
  conversation.messages.push(
    { ...questionOf(event), role: "user", at: event.at },
    { role: "assistant", content: answer, at: Date.now() },
  );
}
