import { Writable } from "node:stream";
import type { Settings } from "../../../config/settings.ts";
import { describeUsage } from "../../conversation/usage.ts";
import { ModelError } from "../../errors.ts";
import { type Handler, isStream, type Reply, type Turn } from "../../handler.ts";
import { harmless, harmlessJson } from "../../sanitize/harmless.ts";
import type { ConsoleFlags } from "../environment.ts";

/** The stream on which the console prints answers: none with `--json`, as `outputMiddleware` prints them then. */
export function outputStream({ json }: ConsoleFlags): NodeJS.WritableStream & Writable {
  return json ? new Writable({ write: (_, __, done) => done() }) : process.stdout;
}

/** The handlers for `--usage` and `--json`. */
export function outputMiddleware({ usage, json }: ConsoleFlags, settings: Settings): Handler[] {
  return [
    ...(usage ? [appendUsage(settings.CURRENCY)] : []),
    ...(json ? [answerInJson((line) => process.stdout.write(line))] : []),
  ];
}

/** Writes the reason for a missing answer to standard error, not as an answer. `failed`: whether there was one. */
export function failureToStderr(): { handler: Handler; failed(): boolean } {
  let asked: Turn | undefined;
  return {
    failed: () => asked?.failure !== undefined,
    handler: async (turn, next) => {
      asked = turn;
      const reply = await next();
      if (!isStream(reply)) return reply;
      return (async function* () {
        for await (const chunk of reply) {
          if (turn.failure) process.stderr.write(`${harmless(chunk.trim())}\n`);
          else yield chunk;
        }
      })();
    },
  };
}

/** Appends to each answer what it has cost. */
function appendUsage(currency: string): Handler {
  return async (turn, next) => {
    const before = { ...turn.conversation.usage };
    const reply = await next();
    if (!isStream(reply)) return reply;
    return (async function* () {
      yield* reply;
      yield `\n\n*${describeUsage(usageSince(before, turn), currency)}*`;
    })();
  };
}

/** Writes a line of JSON for each answer: `{"text", "usage"?, "choices"?, "error"?: {"code", "message"}}`. */
function answerInJson(write: (line: string) => void): Handler {
  return async (turn, next) => {
    const before = { ...turn.conversation.usage };
    let text = "";
    const print = (reply?: Reply) => {
      const { turns: _, ...usage } = usageSince(before, turn);
      const line = {
        text,
        ...(usage.input + usage.output > 0 && { usage }),
        ...(typeof reply === "object" && !isStream(reply) && { choices: reply.choices }),
        ...(turn.failure && { error: failureOf(turn.failure) }),
      };
      write(`${harmlessJson(JSON.stringify(line))}\n`);
    };
    try {
      const reply = await next();
      if (isStream(reply)) {
        return (async function* () {
          for await (const chunk of reply) {
            // Text after a failure describes the failure.
            if (!turn.failure) text += chunk;
            yield chunk;
          }
          print();
        })();
      }
      text = typeof reply === "object" ? reply.text : (reply ?? "");
      print(reply);
      return reply;
    } catch (error) {
      turn.failure = error instanceof Error ? error : new Error(String(error));
      print();
      throw error;
    }
  };
}

function failureOf(error: Error): { code: string; message: string } {
  return { code: error instanceof ModelError ? error.code : "internal", message: error.message };
}

function usageSince(before: Turn["conversation"]["usage"], { conversation: { usage } }: Turn) {
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
