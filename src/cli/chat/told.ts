import { ModelError } from "../../errors.ts";
import { type Handler, isStream, type Reply, type Turn } from "../../handler.ts";
import { harmless, harmlessJson } from "../../sanitize/harmless.ts";
import { describeUsage } from "../../conversation/usage.ts";

/** The reason for a missing answer is no answer: it goes to standard error, and the exit code tells. */
export function failureToStderr(): { handler: Handler; failed(): boolean } {
  let asked: Turn | undefined;
  return {
    failed: () => asked?.failure !== undefined,
    handler: async (turn, next) => {
      asked = turn;
      const reply = await next();
      if (!isStream(reply)) return reply;
      return (async function* () {
        for await (const piece of reply) {
          if (turn.failure) process.stderr.write(`${harmless(piece.trim())}\n`);
          else yield piece;
        }
      })();
    },
  };
}

/** Tells below each answer what it has cost. */
export function tellUsage(currency: string): Handler {
  return async (turn, next) => {
    const before = { ...turn.conversation.usage };
    const reply = await next();
    if (!isStream(reply)) return reply;
    return (async function* () {
      yield* reply;
      yield `\n\n*${describeUsage(spentSince(before, turn), currency)}*`;
    })();
  };
}

/** Writes a line of JSON for each answer: `{"text", "usage"?, "choices"?, "error"?: {"code", "message"}}`. */
export function answerInJson(write: (line: string) => void): Handler {
  return async (turn, next) => {
    const before = { ...turn.conversation.usage };
    let text = "";
    const tell = (reply?: Reply) => {
      const { turns: _, ...usage } = spentSince(before, turn);
      write(
        `${harmlessJson(
          JSON.stringify({
            text,
            ...(usage.input + usage.output > 0 && { usage }),
            ...(typeof reply === "object" && !isStream(reply) && { choices: reply.choices }),
            ...(turn.failure && { error: failureOf(turn.failure) }),
          }),
        )}\n`,
      );
    };
    try {
      const reply = await next();
      if (isStream(reply)) {
        return (async function* () {
          for await (const piece of reply) {
            // What comes after a failure is the word about it.
            if (!turn.failure) text += piece;
            yield piece;
          }
          tell();
        })();
      }
      text = typeof reply === "object" ? reply.text : (reply ?? "");
      tell(reply);
      return reply;
    } catch (error) {
      turn.failure = error instanceof Error ? error : new Error(String(error));
      tell();
      throw error;
    }
  };
}

function failureOf(error: Error): { code: string; message: string } {
  return { code: error instanceof ModelError ? error.code : "internal", message: error.message };
}

function spentSince(before: Turn["conversation"]["usage"], { conversation: { usage } }: Turn) {
  const less = (now = 0, then = 0) => now - then;
  const estimated = less(usage.estimated, before.estimated);
  return {
    turns: less(usage.turns, before.turns),
    input: less(usage.input, before.input),
    output: less(usage.output, before.output),
    ...(estimated > 0 && { estimated }),
    ...(usage.cost !== before.cost && { cost: less(usage.cost, before.cost) }),
  };
}
