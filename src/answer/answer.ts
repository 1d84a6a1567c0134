import { type AnswerOptions, askModel, buildPrompt, estimate, recordUsage, questionOf } from "./prompt.ts";
import { describeError, Interrupted, ModelError } from "../errors.ts";
import type { Handler, Turn } from "../handler.ts";
import type { Usage } from "../model/model.ts";
import { emit } from "../telemetry/events.ts";
import { compact } from "./compaction.ts";
import { closingFence } from "../text/fence.ts";

/** The last handler: asks the model with the conversation so far, and adds question and answer to it. */
export function createAnswer(options: AnswerOptions): Handler {
  return (turn) => {
    rewind(turn);
    const { text, attachments = [] } = turn.event;
    const { images } = questionOf(turn.event);
    if (!text.trim() && !images) return turn.say(attachments.length > 0 ? "text.only" : "text.empty");
    return answer(turn, options);
  };
}

/** Whatever happens, the person is told: the answer, what there is of it, or why there is none. */
async function* answer(turn: Turn, options: AnswerOptions): AsyncGenerator<string> {
  let said = "";
  let usage: Usage | undefined;
  let notice = "";
  try {
    const told = await compact(turn, options);
    if (told) yield `${told}\n\n`;
    const pieces = askModel(turn, buildPrompt(turn, options));
    for (let next = await pieces.next(); ; next = await pieces.next()) {
      if (next.done) {
        usage = next.value;
        break;
      }
      said += next.value;
      yield next.value;
    }
  } catch (error) {
    notice = explain(turn, error);
  }
  const prompt = buildPrompt(turn, options);
  recordUsage(turn, prompt, usage ?? (said ? await estimate(prompt, said) : NOTHING));
  remember(turn, said);
  if (notice) yield said ? `${closingFence(said)}\n\n*${notice}*` : notice;
}

/** The person asks something else instead of what they once asked. */
function rewind({ conversation, event: { rewinds } }: Turn): void {
  if (rewinds !== undefined) conversation.messages = conversation.messages.filter(({ at }) => at < rewinds);
}

/** Of an answer of which nothing came. */
const NOTHING: Usage = { input: 0, output: 0, estimated: false };

/**
 * What was tried is told at the end. Before that the person sees only that something is being written: a reply
 * grows and takes nothing back, so that a note like "trying again" would stand in the answer for good.
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
  const tried = count > 1 ? ` ${turn.say("model.tried", { count, seconds: Math.ceil(ms / 1000) })}` : "";
  return turn.say(`model.${error.code}`) + tried;
}

/** A question without any answer is not kept: asked again, it would stand there twice. */
function remember({ conversation, event }: Turn, said: string): void {
  if (!said.trim()) return;
  conversation.messages.push(
    { ...questionOf(event), role: "user", at: event.at },
    { role: "assistant", content: said, at: Date.now() },
  );
}
