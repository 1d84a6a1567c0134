import { setTimeout as sleep } from "node:timers/promises";
import { describeError, PlatformError } from "../errors.ts";
import type { Log } from "../log.ts";
import { readReply } from "./reply-stream.ts";
import type { StreamingStrategy } from "./streaming.ts";
import { backOff } from "./retry.ts";

interface FramesOptions<Body> {
  readonly strategy: StreamingStrategy<Body>;
  /** The pages of a text that goes on. */
  readonly pages: (text: string) => Promise<readonly Body[]>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** What the model says within this time of its first word is the first thing shown; frames never follow faster, in ms. */
const GATHER_MS = 40;

/**
 * Shows a reply frame by frame while it grows, but never the last one: that is shown once it is recorded as the
 * whole. One frame is on its way at a time, and always the newest. Resolves with the text when it has ended and
 * no frame is on its way any more; rejects with what the stream threw.
 */
export async function showFrames<Body>(
  reply: AsyncIterable<string>,
  { strategy, pages, signal, log }: FramesOptions<Body>,
): Promise<string> {
  const answer = readReply(reply, signal);
  await answer.grown();
  for (let failures = 0, pauseMs = GATHER_MS; ; ) {
    for (let ms = pauseMs; ms > 0 && !answer.ended; ms = strategy.waitMs()) await pause(ms);
    if (!answer.ended) await beforeEnd((over) => strategy.room(over));
    if (answer.ended) break;
    const refusal = await showFrame(await pages(answer.text));
    failures = refusal ? failures + 1 : 0;
    pauseMs = refusal ? backOff(refusal, failures) : GATHER_MS;
    if (!refusal) await answer.grown(strategy.againMs);
  }
  await answer.end;
  return answer.text;

  function pause(ms: number): Promise<void> {
    return beforeEnd((over) => sleep(ms, undefined, { signal: over }));
  }

  /** Waits, but not beyond the end of the answer. */
  async function beforeEnd(wait: (over: AbortSignal) => Promise<void>): Promise<void> {
    const over = new AbortController();
    const waited = wait(over.signal).catch(() => undefined);
    await Promise.race([waited, answer.end.catch(() => undefined)]);
    over.abort();
  }

  /** A frame that the platform does not take is dropped: the next one shows more anyway. */
  async function showFrame(frame: readonly Body[]): Promise<PlatformError | undefined> {
    try {
      await strategy.show(frame);
      return undefined;
    } catch (error) {
      if (!(error instanceof PlatformError) || error.permanent) throw error;
      log.debug({ code: error.code }, `a frame of a growing answer was dropped: ${describeError(error)}`);
      return error;
    }
  }
}
