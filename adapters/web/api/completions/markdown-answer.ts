import type { Feed } from "../../conversations/feed.ts";
import type { Update } from "../../conversations/updates.ts";

/** The answer to a message, as Markdown, while it is being written. */
export interface MarkdownAnswer {
  /** Says which turn the answer belongs to. Until then nothing is delivered. */
  setTurn(turn: string): void;
  readonly chunks: AsyncIterable<MarkdownChunk>;
  /** Stops reading; false if the answer has ended already. */
  end(): boolean;
}

/** What follows the first `at` UTF-16 units of the answer. `at` goes back if another process writes it again. */
export interface MarkdownChunk {
  readonly at: number;
  readonly add: string;
}

export interface MarkdownAnswerOptions {
  readonly user: string;
  readonly thread: string;
  /** Called once, when the answer ends or is stopped. */
  readonly onEnd: () => void;
}

/** Reads the next answer in a conversation. Call it before the message is posted, so that nothing is missed. */
export function readMarkdownAnswer(
  feed: Feed,
  { user, thread, onEnd }: MarkdownAnswerOptions,
): MarkdownAnswer {
  const received: Extract<Update, { kind: "raw" | "done" }>[] = [];
  let turn: string | undefined;
  let isOver = false;
  let wake = () => {};
  const subscription = feed.subscribe(user, feed.position(user), (_, update) => {
    if ((update.kind !== "raw" && update.kind !== "done") || update.thread !== thread) return;
    received.push(update);
    wake();
  });
  return { setTurn: (name) => (turn = name), chunks: chunks(), end };

  function end(): boolean {
    if (isOver) return false;
    isOver = true;
    subscription.unsubscribe();
    onEnd();
    wake();
    return true;
  }

  async function* chunks(): AsyncGenerator<MarkdownChunk, void> {
    try {
      for (;;) {
        const update = received.shift();
        if (update === undefined) {
          if (isOver) return;
          await new Promise<void>((resolve) => (wake = resolve));
          continue;
        }
        if (update.turn !== turn) continue;
        if (update.kind === "done") return;
        yield update;
      }
    } finally {
      end();
    }
  }
}
