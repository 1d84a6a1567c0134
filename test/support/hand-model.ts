import { once } from "node:events";
import type { Model } from "../../src/model/model.ts";

/** A model whose every piece is given by the test, in streams that go on until they are ended. */
export interface HandModel {
  readonly model: Model;
  /** The questions so far. */
  readonly asked: readonly string[];
  /** Gives the newest answer these pieces, all at once. */
  say(...pieces: string[]): void;
  /** Ends all answers. */
  end(): void;
}

/** A model that says nothing by itself. */
export function createHandModel(): HandModel {
  const asked: string[] = [];
  let newest: string[] = [];
  let over = new AbortController();
  let news = new AbortController();

  return {
    asked,
    say: (...pieces) => {
      newest.push(...pieces);
      news.abort();
      news = new AbortController();
    },
    end: () => {
      over.abort();
      over = new AbortController();
    },
    model: {
      name: "hand",
      contextTokens: 32_768,
      answer: async function* ({ messages }, signal) {
        const pieces: string[] = [];
        const end = over.signal;
        newest = pieces;
        asked.push(messages.at(-1)?.content ?? "");
        for (;;) {
          signal.throwIfAborted();
          const piece = pieces.shift();
          if (piece !== undefined) yield piece;
          else if (end.aborted) return { input: 1, output: 1, estimated: true };
          else await once(AbortSignal.any([signal, end, news.signal]), "abort");
        }
      },
    },
  };
}
