import { setTimeout as sleep } from "node:timers/promises";
import type { Call } from "../api.ts";
import { malformedAnswer } from "../errors.ts";
import type { Health } from "./health.ts";
import { updateId } from "./updates.ts";

export interface PollOptions {
  readonly call: Call;
  readonly health: Health;
  /** How long Telegram may hold a poll open, in seconds; at most 50. */
  readonly seconds: number;
  /** The kinds of updates to receive. */
  readonly wanted: readonly string[];
  /** Resolves once the update is stored. */
  readonly store: (update: unknown) => Promise<void>;
  readonly signal: AbortSignal;
}

/** How late an empty poll may return before the connection counts as dead, in ms. */
const POLL_GRACE_MS = 10_000;

/**
 * The least duration of an empty long poll, in ms. Telegram holds it for its whole time: a server that answers sooner
 * does not implement long polling, and must not be polled in a tight loop.
 */
const MIN_POLL_MS = 1000;

/** How long the last acknowledgement may delay the stop, in ms. */
const CONFIRM_MS = 2000;

/**
 * Polls until the signal aborts. Telegram deletes an update when a later poll asks for a higher offset, so the offset
 * advances only when the whole batch is stored. After a failure the same batch is delivered again.
 */
export async function poll({ call, health, seconds, wanted, store, signal }: PollOptions): Promise<void> {
  let offset: number | undefined;
  try {
    while (!signal.aborted) {
      offset = await health.retry(async () => {
        const updates = await getUpdates();
        await storeAll(updates, store);
        return nextOffset(updates);
      }, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (offset !== undefined && !health.problem) await confirm(call, offset);

  async function getUpdates(): Promise<readonly unknown[]> {
    // A short poll shows at once that Telegram is back, but it does not show that another poller has stopped.
    const timeout = health.problem && health.problem.kind !== "conflict" ? 0 : seconds;
    const since = performance.now();
    const updates = await call(
      "getUpdates",
      { timeout, allowed_updates: wanted, ...(offset !== undefined && { offset }) },
      { signal, timeoutMs: timeout * 1000 + POLL_GRACE_MS },
    );
    const isEmpty = Array.isArray(updates) && updates.length === 0;
    if (isEmpty && timeout > 0 && performance.now() - since < MIN_POLL_MS)
      await sleep(MIN_POLL_MS, undefined, { signal });
    if (Array.isArray(updates) && (isEmpty || nextOffset(updates) !== undefined)) return updates;
    throw malformedAnswer("getUpdates");
  }
}

/** Starts to store all updates in order, and waits for all of them; throws the first failure. */
async function storeAll(updates: readonly unknown[], store: PollOptions["store"]): Promise<void> {
  const inOrder = updates.toSorted((a, b) => (updateId(a) ?? 0) - (updateId(b) ?? 0));
  const results = await Promise.allSettled(inOrder.map(store));
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
}

/** Undefined after an empty batch: everything is acknowledged, and update ids may start over after a week. */
function nextOffset(updates: readonly unknown[]): number | undefined {
  const ids = updates.map(updateId).filter((id) => id !== undefined);
  return ids.length > 0 ? Math.max(...ids) + 1 : undefined;
}

/** Acknowledges the last batch. Otherwise it would be delivered again at the next start: harmless, but needless. */
async function confirm(call: Call, offset: number): Promise<void> {
  await call("getUpdates", { offset, limit: 1, timeout: 0 }, { timeoutMs: CONFIRM_MS }).catch(
    () => undefined,
  );
}
