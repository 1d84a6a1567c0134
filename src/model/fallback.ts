import { ModelError, type ModelErrorCode } from "../errors.ts";
import { withTries } from "./failure.ts";
import type { Model, ModelRequest, Usage } from "./model.ts";

export interface FallbackOptions {
  readonly first: Model;
  /** Answers if the first model fails. */
  readonly second: Model;
  readonly log?: { warn(message: string): void };
}

/** Errors that another model of the same service may not have. It shares the key, the credit and the question. */
const DEPENDS_ON_MODEL: ReadonlySet<ModelErrorCode> = new Set([
  "busy",
  "unreachable",
  "stalled",
  "blind",
  "cut",
  "not_found",
  "bad_answer",
  "empty",
]);

/** How long the first model is not asked after a failure, in ms: further questions would wait for the same failure. */
const COOLDOWN_MS = 60_000;

/**
 * Creates a model that asks the second one if the first has given up before any text was shown: an answer must not
 * consist of two halves of different answers. If both fail, the error of the second counts the attempts of both.
 */
export function createFallback({ first, second, log }: FallbackOptions): Model {
  let skipUntil = 0;
  return {
    name: first.name,
    contextTokens: Math.min(first.contextTokens, second.contextTokens),
    price: first.price,
    answer: (request, signal) =>
      Date.now() < skipUntil ? askSecond(request, signal) : answer(request, signal),
  };

  async function* answer(request: ModelRequest, signal: AbortSignal): AsyncGenerator<string, Usage, void> {
    let isVisible = false;
    try {
      const chunks = first.answer(request, signal);
      for (let next = await chunks.next(); ; next = await chunks.next()) {
        if (next.done) return next.value;
        isVisible = true;
        yield next.value;
      }
    } catch (error) {
      if (isVisible || !(error instanceof ModelError) || !DEPENDS_ON_MODEL.has(error.code)) throw error;
      skipUntil = Date.now() + COOLDOWN_MS;
      log?.warn(`${error.message} Asking ${second.name} instead (OPENAI_FALLBACK_MODEL).`);
      return yield* askSecondAfter(error, request, signal);
    }
  }

  async function* askSecond(request: ModelRequest, signal: AbortSignal): AsyncGenerator<string, Usage, void> {
    return { by: second, ...(yield* second.answer(request, signal)) };
  }

  async function* askSecondAfter(
    { tries }: ModelError,
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<string, Usage, void> {
    try {
      return yield* askSecond(request, signal);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const { count, ms } = error.tries;
      throw withTries(error, { count: count + tries.count, ms: ms + tries.ms });
    }
  }
}
