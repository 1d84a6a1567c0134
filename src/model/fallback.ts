import { ModelError, type ModelErrorCode } from "../errors.ts";
import { givenUp } from "./failure.ts";
import type { Model, ModelRequest, Usage } from "./model.ts";

export interface FallbackOptions {
  readonly first: Model;
  /** Asked when the first has failed. */
  readonly second: Model;
  readonly log?: { warn(message: string): void };
}

/** What another model of the same service may not suffer from; the key, the credit and the question stay the same. */
const OTHERWISE: ReadonlySet<ModelErrorCode> = new Set([
  "busy",
  "unreachable",
  "stalled",
  "blind",
  "cut",
  "not_found",
  "bad_answer",
  "empty",
]);

/** For so long after it has failed the first model is not asked, in ms: nobody shall wait for the same in vain. */
const REST_MS = 60_000;

/**
 * The first model, and the second where the first has failed for good before anything was shown: two halves of
 * two answers are none. If both fail, the error of the second counts the attempts of both.
 */
export function createFallback({ first, second, log }: FallbackOptions): Model {
  let restsUntil = 0;
  return {
    name: first.name,
    contextTokens: Math.min(first.contextTokens, second.contextTokens),
    price: first.price,
    answer: (request, signal) =>
      Date.now() < restsUntil ? asSecond(request, signal) : answer(request, signal),
  };

  async function* answer(request: ModelRequest, signal: AbortSignal): AsyncGenerator<string, Usage, void> {
    let shown = false;
    try {
      const pieces = first.answer(request, signal);
      for (let next = await pieces.next(); ; next = await pieces.next()) {
        if (next.done) return next.value;
        shown = true;
        yield next.value;
      }
    } catch (error) {
      if (shown || !(error instanceof ModelError) || !OTHERWISE.has(error.code)) throw error;
      restsUntil = Date.now() + REST_MS;
      log?.warn(`${error.message} Asking ${second.name} instead (OPENAI_FALLBACK_MODEL).`);
      return yield* askSecond(request, signal, error);
    }
  }

  async function* asSecond(request: ModelRequest, signal: AbortSignal): AsyncGenerator<string, Usage, void> {
    return { by: second, ...(yield* second.answer(request, signal)) };
  }

  async function* askSecond(
    request: ModelRequest,
    signal: AbortSignal,
    before: ModelError,
  ): AsyncGenerator<string, Usage, void> {
    try {
      return yield* asSecond(request, signal);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const { count, ms } = error.tries;
      throw givenUp(error, { count: count + before.tries.count, ms: ms + before.tries.ms });
    }
  }
}
