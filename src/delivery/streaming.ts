import { PlatformError } from "../errors.ts";
import { markStage } from "../telemetry/stages.ts";
import type { PostedMessages, PostedMessagesOptions } from "./posted-messages.ts";
import type { ChatPacing } from "./pacing.ts";

/** A way to present an answer while it streams in: by edits, by drafts, or not at all. */
export interface StreamingStrategy<Body> {
  /** Whether the user can see part of the answer. */
  readonly isVisible: boolean;
  /** How long to wait before the next update, in ms. */
  waitMs(): number;
  /** Resolves when the limit over all chats permits an update; rejects with the signal's reason. */
  waitForTurn(signal: AbortSignal): Promise<void>;
  /** Presents these pages, of which the last is incomplete. Rejects with a `PlatformError` if the platform refuses. */
  update(pages: readonly Body[]): Promise<void>;
  /** How long an update lasts, in ms, before the same pages must be presented again; forever if absent. */
  readonly refreshMs?: number | undefined;
}

interface StreamingOptions<Body> extends Pick<PostedMessagesOptions<Body>, "adapter" | "event" | "shown"> {
  readonly posted: PostedMessages<Body>;
  readonly pacing: ChatPacing;
}

/**
 * Chooses drafts if the platform has them, else edits, else messages for full pages only. If an earlier run has posted
 * messages, those are edited: a draft below them would present the answer twice.
 */
export function createStreamingStrategy<Body>(options: StreamingOptions<Body>): StreamingStrategy<Body> {
  const { adapter, shown } = options;
  if (adapter.wholeOnly) return WHOLE_ONLY;
  if (adapter.draft && shown.length === 0) return byDrafts(options);
  return byMessages(options);
}

/** Presents nothing before the answer is whole. The long wait saves paginating frames that would not be posted. */
const WHOLE_ONLY: StreamingStrategy<unknown> = {
  isVisible: false,
  waitMs: () => 60_000,
  waitForTurn: async () => undefined,
  update: async () => undefined,
};

/** Every page is a message, and the incomplete one is edited. Without edits, only full pages are posted. */
function byMessages<Body>({ adapter, posted, pacing }: StreamingOptions<Body>): StreamingStrategy<Body> {
  return {
    get isVisible() {
      return !posted.empty;
    },
    // The first message may exceed the pace by one write: a visible beginning is worth more than the debt that an
    // earlier answer has left.
    waitMs: () => pacing.waitMs(posted.empty ? 1 : 0),
    waitForTurn: (signal) => pacing.waitForTurn(signal),
    update: (pages) => posted.show(adapter.edit ? pages : pages.slice(0, -1), pacing.write),
  };
}

/** Full pages are messages, and the incomplete one is a draft. If the platform refuses drafts for good, by messages. */
function byDrafts<Body>(options: StreamingOptions<Body>): StreamingStrategy<Body> {
  const { adapter, event, posted, pacing } = options;
  const { pace } = adapter;
  const fallback = byMessages(options);
  let isPossible = true;
  let last: { readonly fingerprint: string; readonly at: number } | undefined;

  return {
    get isVisible() {
      return last !== undefined || fallback.isVisible;
    },
    get refreshMs() {
      return isPossible ? pace.redraft : undefined;
    },
    waitMs: () => {
      if (!isPossible) return fallback.waitMs();
      return last ? Math.max(0, last.at + (pace.draft ?? pace[event.chat.kind]) - Date.now()) : 0;
    },
    // Drafts do not count against the limit for messages.
    waitForTurn: async (signal) => (isPossible ? undefined : fallback.waitForTurn(signal)),
    update: async (pages) => {
      if (isPossible) {
        await posted.show(pages.slice(0, -1), pacing.write);
        await updateDraft(pages);
      }
      if (!isPossible) await fallback.update(pages);
    },
  };

  async function updateDraft(pages: readonly Body[]): Promise<void> {
    const page = pages.at(-1);
    const fingerprint = JSON.stringify([pages.length, page]);
    const at = Date.now();
    if (page === undefined) return;
    if (last?.fingerprint === fingerprint && at < last.at + (pace.redraft ?? Infinity)) return;
    try {
      await adapter.draft?.(event.to, `${event.id}#${pages.length - 1}`, page);
      last = { fingerprint, at };
      markStage("drafted", event);
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.permanent) throw error;
      isPossible = false;
    }
  }
}
