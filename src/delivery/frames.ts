import { setTimeout as sleep } from "node:timers/promises";
import { describeError, PlatformError } from "../errors.ts";
import type { Log } from "../log.ts";
import { readReply } from "./reply-stream.ts";
import type { StreamingStrategy } from "./streaming.ts";
import { pauseAfterRefusal } from "./retry.ts";

interface FramesOptions<Body> {
  readonly strategy: StreamingStrategy<Body>;
  /** Cuts an incomplete reply into pages. */
  readonly paginate: (text: string) => Promise<readonly Body[]>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** The pause before each frame, in ms: it collects the first chunks of an answer, and limits the frame rate. */
const GATHER_MS = 40;

/**
 * Updates the pages of a reply frame by frame while it streams in. The final state is left to the caller, which stores
 * the whole reply first. Only one frame is in flight at a time, and each one is built from the newest text. Resolves
 * with the whole text when the stream has ended and no frame is in flight; rejects with the error of the stream.
 */
export async function streamFrames<Body>(
  reply: AsyncIterable<string>,
  { strategy, paginate, signal, log }: FramesOptions<Body>,
): Promise<string> {
  const stream = readReply(reply, signal);
  await stream.nextChange();
  for (let failures = 0, pauseMs = GATHER_MS; ; ) {
    for (let ms = pauseMs; ms > 0 && !stream.ended; ms = strategy.waitMs()) await pause(ms);
    if (!stream.ended) await beforeEnd((over) => strategy.waitForTurn(over));
    if (stream.ended) break;
    const refusal = await tryUpdate(await paginate(stream.text));
    failures = refusal ? failures + 1 : 0;
    pauseMs = refusal ? pauseAfterRefusal(refusal, failures) : GATHER_MS;
    if (!refusal) await stream.nextChange(strategy.refreshMs);
  }
  await stream.end;
  return stream.text;

  function pause(ms: number): Promise<void> {
    return beforeEnd((over) => sleep(ms, undefined, { signal: over }));
  }

  /** Waits, but no longer than until the stream ends. */
  async function beforeEnd(wait: (over: AbortSignal) => Promise<void>): Promise<void> {
    const over = new AbortController();
    const waited = wait(over.signal).catch(() => undefined);
    await Promise.race([waited, stream.end.catch(() => undefined)]);
    over.abort();
  }

  /** Returns the error if the platform refuses the frame for now. The frame is dropped: the next one contains it. */
  async function tryUpdate(frame: readonly Body[]): Promise<PlatformError | undefined> {
    try {
      await strategy.update(frame);
      return undefined;
    } catch (error) {
      if (!(error instanceof PlatformError) || error.permanent) throw error;
      log.debug({ code: error.code }, `dropped a frame of a streaming answer: ${describeError(error)}`);
      return error;
    }
  }
}
