/** A reply that is being read, as far as it has arrived. */
export interface ReplyStream {
  readonly text: string;
  readonly ended: boolean;
  /**
   * Resolves when text has arrived since the last call, when the reply has ended, or after `withinMs` if that is given.
   */
  nextChange(withinMs?: number): Promise<void>;
  /** Resolves when the reply has ended. Rejects with the error of the stream, or with the signal's reason. */
  readonly end: Promise<void>;
}

/** Reads a stream to its end, regardless of how fast its text is consumed. `signal` ends the reading at once. */
export function readReply(stream: AsyncIterable<string>, signal: AbortSignal): ReplyStream {
  let text = "";
  let ended = false;
  let changed = false;
  let wake: (() => void) | undefined;

  const end = Promise.race([read(), aborted(signal)]).finally(() => {
    ended = true;
    notify();
  });
  // The consumer awaits `end` only after its last frame: a rejection before that must not count as unhandled.
  end.catch(() => undefined);

  return {
    get text() {
      return text;
    },
    get ended() {
      return ended;
    },
    end,
    nextChange: async (withinMs) => {
      if (!changed && !ended) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        const timer = withinMs === undefined ? undefined : setTimeout(() => wake?.(), withinMs);
        await woken.finally(() => clearTimeout(timer));
      }
      changed = false;
    },
  };

  async function read(): Promise<void> {
    for await (const chunk of stream) {
      if (ended) return;
      text += chunk;
      notify();
    }
  }

  function notify(): void {
    changed = true;
    wake?.();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
