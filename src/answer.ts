import { describeError, Interrupted, ModelError } from "./errors.ts";
import type { Handler, Turn } from "./handler.ts";
import { fitContext, inputBudget } from "./model/context.ts";
import type { Model, Usage } from "./model/model.ts";

export interface AnswerOptions {
  readonly model: Model;
  /** What the model is told about itself, before the conversation. */
  readonly persona: string;
}

/** The last handler: asks the model with the conversation so far, and adds question and answer to it. */
export function createAnswer(options: AnswerOptions): Handler {
  return (turn) => {
    const { text, attachments = [] } = turn.event;
    if (!text.trim()) return turn.say(attachments.length > 0 ? "text.only" : "text.empty");
    return answer(turn, options);
  };
}

/** Whatever happens, the person is told: the answer, what there is of it, or why there is none. */
async function* answer(turn: Turn, options: AnswerOptions): AsyncGenerator<string> {
  let said = "";
  let usage: Usage | undefined;
  let notice = "";
  try {
    const pieces = ask(turn, options);
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
  remember(turn, said, usage);
  if (notice) yield said ? `${closingFence(said)}\n\n*${notice}*` : notice;
}

/** A request that turns out too long for the model is made again with less of the past, down to the question. */
async function* ask(turn: Turn, { model, persona }: AnswerOptions): AsyncGenerator<string, Usage, void> {
  const question = turn.event.text;
  const history = turn.conversation.messages;
  let budget = inputBudget(model.contextTokens);
  for (;;) {
    const messages = await fitContext({
      system: persona,
      messages: history,
      question,
      budget,
      model: model.name,
    });
    try {
      return yield* model.answer({ messages }, turn.signal);
    } catch (error) {
      const past = messages.length - (persona ? 2 : 1);
      if (!(error instanceof ModelError) || error.code !== "too_long" || past <= 0) throw error;
      budget = Math.floor(budget / 2);
      turn.log.warn({ budget }, `the conversation is too long for the model, asking with less of it`);
    }
  }
}

/**
 * What was tried is told at the end. Before that the person sees only that something is being written: a reply
 * grows and takes nothing back, so that a note like "trying again" would stand in the answer for good.
 */
function explain(turn: Turn, error: unknown): string {
  if (error instanceof Interrupted) return turn.say("stopped");
  if (!(error instanceof ModelError)) throw error;
  turn.failure = error;
  turn.log.error(
    { code: error.code, status: error.status },
    `the model did not answer: ${describeError(error)}`,
  );
  const { count, ms } = error.tries;
  const tried = count > 1 ? ` ${turn.say("model.tried", { count, seconds: Math.ceil(ms / 1000) })}` : "";
  return turn.say(`model.${error.code}`) + tried;
}

/** A question without any answer is not kept: asked again, it would stand there twice. */
function remember(turn: Turn, said: string, usage: Usage | undefined): void {
  const { conversation, event } = turn;
  if (said.trim()) {
    conversation.messages.push(
      { role: "user", content: event.text, at: event.at },
      { role: "assistant", content: said, at: Date.now() },
    );
  }
  conversation.usage.turns += 1;
  conversation.usage.input += usage?.input ?? 0;
  conversation.usage.output += usage?.output ?? 0;
}

/** What ends the code block in which a text breaks off, so that what follows is no code; else nothing. */
function closingFence(text: string): string {
  let open: { prefix: string; fence: string } | undefined;
  for (const [, prefix = "", fence = "", rest = ""] of text.matchAll(/^([ \t>]*)(`{3,}|~{3,})(.*)$/gm)) {
    if (!open) open = { prefix, fence };
    else if (fence.startsWith(open.fence) && !rest.trim()) open = undefined;
  }
  return open ? `\n${open.prefix}${open.fence}` : "";
}
