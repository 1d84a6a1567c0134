import type { Adapter } from "./adapter.ts";
import { describeError, Requeued } from "./errors.ts";
import { isStream, type Reply, type Turn } from "./handler.ts";
import { localeOf, texts } from "./i18n/texts.ts";
import type { Log } from "./log.ts";
import { emit } from "./telemetry/events.ts";
import { markStage } from "./telemetry/stages.ts";

/** A turn in the language of its user. */
export function createTurn(parts: Omit<Turn, "locale" | "say">): Turn {
  const locale = localeOf(parts.event.user.locale, parts.event.text);
  return { ...parts, locale, say: texts(locale) };
}

/** How a turn gets the images of its conversation; one that cannot be fetched is left out. */
export function imageLoader(adapter: Adapter, log: Log): Turn["image"] {
  return async (ref) =>
    adapter.files?.image?.(ref).catch((error: unknown) => {
      log.warn(`an image is left out: ${describeError(error)}`);
      return undefined;
    });
}

/** Runs the handlers. If one throws, the user gets an apology; only the end of the program passes through. */
export async function runHandlers(handle: (turn: Turn) => Promise<Reply>, turn: Turn): Promise<Reply> {
  try {
    const reply = await handle(turn);
    return isStream(reply) ? guard(reply, turn) : reply;
  } catch (error) {
    return apologise(turn, error);
  }
}

async function* guard(reply: AsyncIterable<string>, turn: Turn): AsyncGenerator<string> {
  let begun = false;
  try {
    for await (const chunk of reply) {
      if (!begun && chunk) markStage("begun", turn.event);
      begun ||= chunk !== "";
      yield chunk;
    }
  } catch (error) {
    yield `\n\n${apologise(turn, error)}`;
  }
}

function apologise(turn: Turn, error: unknown): string {
  if (error instanceof Requeued) throw error;
  emit("error", { kind: "handler", code: error instanceof Error ? error.name : "unknown" });
  turn.failure = error instanceof Error ? error : new Error(String(error));
  turn.log.error({ err: error }, `a handler failed: ${describeError(error)}`);
  return turn.say("error.internal");
}
