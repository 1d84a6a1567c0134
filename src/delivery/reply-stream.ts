/** A reply as far as it has come. */
export interface ReplyStream {
  readonly text: string;
  readonly ended: boolean;
  /** Resolves when the text has grown since the last call, the reply has ended, or `withinMs` are over. */
  grown(withinMs?: number): Promise<void>;
  /** Resolves when the reply has ended. Rejects with what the stream threw. */
  readonly end: Promise<void>;
}

/** Reads a stream to its end, however fast or slowly its text is shown; `signal` ends the reading at once. */
export function readReply(stream: AsyncIterable<string>, signal: AbortSignal): ReplyStream {
  let text = "";
  let ended = false;
  let fresh = false;
  let wake: (() => void) | undefined;

  const end = Promise.race([read(), aborted(signal)]).finally(() => {
    ended = true;
    tell();
  });
  // Whoever shows the text awaits `end` when it is over; until then a rejection is not unhandled.
  end.catch(() => undefined);

  return {
    get text() {
      return text;
    },
    get ended() {
      return ended;
    },
    end,
    grown: async (withinMs) => {
      if (!fresh && !ended) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        const timer = withinMs === undefined ? undefined : setTimeout(() => wake?.(), withinMs);
        await woken.finally(() => clearTimeout(timer));
      }
      fresh = false;
    },
  };

  async function read(): Promise<void> {
    for await (const piece of stream) {
      if (ended) return;
      text += piece;
      tell();
    }
  }

  function tell(): void {
    fresh = true;
    wake?.();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
