import { setTimeout as sleep } from "node:timers/promises";
import type { Call } from "../api.ts";
import { nonsense } from "../errors.ts";
import type { Health } from "./health.ts";
import { updateId } from "./updates.ts";

export interface PollOptions {
  readonly call: Call;
  readonly health: Health;
  /** How long Telegram may hold a poll open, in seconds; it knows no more than 50. */
  readonly seconds: number;
  /** The kinds of updates. */
  readonly wanted: readonly string[];
  /** Takes one update in; resolves once stored. */
  readonly take: (update: unknown) => Promise<void>;
  readonly signal: AbortSignal;
}

/** How much later than promised an empty poll may come back before the connection counts as dead, in ms. */
const POLL_GRACE_MS = 10_000;

/** Telegram holds a poll; what answers with nothing within this time, in ms, is something else, and not to be stormed. */
const AT_ONCE_MS = 1000;

/** How long stopping may take for telling Telegram what is stored, in ms. */
const CONFIRM_MS = 2000;

/**
 * Polls until the signal aborts. Telegram forgets an update when a later poll asks for a higher offset, so
 * the offset moves only when the whole batch is stored; after a failure the same batch comes again.
 */
export async function poll({ call, health, seconds, wanted, take, signal }: PollOptions): Promise<void> {
  let offset: number | undefined;
  try {
    while (!signal.aborted) {
      offset = await health.insist(async () => {
        const updates = await getUpdates();
        await takeAll(updates, take);
        return nextOffset(updates);
      }, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (offset !== undefined && !health.problem) await confirm(call, offset);

  async function getUpdates(): Promise<readonly unknown[]> {
    // A short poll shows at once that Telegram is back; against another poller it would show nothing.
    const timeout = health.problem && health.problem.kind !== "conflict" ? 0 : seconds;
    const since = performance.now();
    const updates = await call(
      "getUpdates",
      { timeout, allowed_updates: wanted, ...(offset !== undefined && { offset }) },
      { signal, timeoutMs: timeout * 1000 + POLL_GRACE_MS },
    );
    const isEmpty = Array.isArray(updates) && updates.length === 0;
    if (isEmpty && timeout > 0 && performance.now() - since < AT_ONCE_MS)
      await sleep(AT_ONCE_MS, undefined, { signal });
    if (Array.isArray(updates) && (isEmpty || nextOffset(updates) !== undefined)) return updates;
    throw nonsense("getUpdates");
  }
}

/** Begins with all in order, so that they are stored in order, and waits for each. */
async function takeAll(updates: readonly unknown[], take: PollOptions["take"]): Promise<void> {
  const inOrder = updates.toSorted((a, b) => (updateId(a) ?? 0) - (updateId(b) ?? 0));
  const results = await Promise.allSettled(inOrder.map(take));
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
}

/** Undefined after an empty batch: nothing is left to acknowledge, and update ids may begin anew after a week. */
function nextOffset(updates: readonly unknown[]): number | undefined {
  const ids = updates.map(updateId).filter((id) => id !== undefined);
  return ids.length > 0 ? Math.max(...ids) + 1 : undefined;
}

/** Without this, what was just stored would come again at the next start: harmless, but needless. */
async function confirm(call: Call, offset: number): Promise<void> {
  await call("getUpdates", { offset, limit: 1, timeout: 0 }, { timeoutMs: CONFIRM_MS }).catch(
    () => undefined,
  );
}
