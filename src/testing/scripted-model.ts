import { once } from "node:events";
import type { Model } from "../model/model.ts";

/** A model that answers only what a test gives it. */
export interface ScriptedModel {
  readonly model: Model;
  /** The questions so far. */
  readonly asked: readonly string[];
  /** Adds chunks to the newest answer, all at once. */
  say(...chunks: string[]): void;
  /** Ends all answers. */
  end(): void;
}

/**
 * Creates a model whose answers grow as the test calls `say`, until it calls `end`.
 *
 * @example
 * const { model, say, end } = createScriptedModel();
 * // … a user asks something, then:
 * say("Rain ", "falls.");
 * end();
 */
export function createScriptedModel(): ScriptedModel {
  const asked: string[] = [];
  let newest: string[] = [];
  let over = new AbortController();
  let added = new AbortController();

  return {
    asked,
    say: (...chunks) => {
      newest.push(...chunks);
      added.abort();
      added = new AbortController();
    },
    end: () => {
      over.abort();
      over = new AbortController();
    },
    model: {
      name: "scripted",
      contextTokens: 32_768,
      answer: async function* ({ messages }, signal) {
        const chunks: string[] = [];
        const end = over.signal;
        newest = chunks;
        asked.push(messages.at(-1)?.content ?? "");
        for (;;) {
          signal.throwIfAborted();
          const chunk = chunks.shift();
          if (chunk !== undefined) yield chunk;
          else if (end.aborted) return { input: 1, output: 1, estimated: true };
          else await once(AbortSignal.any([signal, end, added.signal]), "abort");
        }
      },
    },
  };
}
