import { PlatformError } from "../errors.ts";
import { markStage } from "../telemetry/stages.ts";
import type { PostedMessages, PostedMessagesOptions } from "./posted-messages.ts";
import type { ChatPacing } from "./pacing.ts";

/** One way to show an answer while it grows. */
export interface StreamingStrategy<Body> {
  /** Whether people see something of the answer. */
  readonly seen: boolean;
  /** How long the next frame has to wait, in ms. */
  waitMs(): number;
  /** Resolves when the other chats leave room for it; rejects with the signal's reason. */
  room(signal: AbortSignal): Promise<void>;
  /** Shows these pages; the last one still grows. Rejects with a `PlatformError` if a frame is not taken. */
  show(pages: readonly Body[]): Promise<void>;
  /** After so many ms the same is to be shown again. */
  readonly againMs?: number | undefined;
}

interface StreamingOptions<Body> extends Pick<PostedMessagesOptions<Body>, "adapter" | "event" | "shown"> {
  readonly posted: PostedMessages<Body>;
  readonly pacing: ChatPacing;
}

/**
 * Drafts where the platform has them, else edits, else only pages that are full. Where messages of an earlier run
 * stand, those are edited: a draft below them would show the answer a second time.
 */
export function createStreamingStrategy<Body>(options: StreamingOptions<Body>): StreamingStrategy<Body> {
  const { adapter, shown } = options;
  if (adapter.wholeOnly) return WHOLE_ONLY;
  if (adapter.draft && shown.length === 0) return byDrafts(options);
  return byMessages(options);
}

/** Nothing is shown while it grows; frames are not even looked for. */
const WHOLE_ONLY: StreamingStrategy<unknown> = {
  seen: false,
  waitMs: () => 60_000,
  room: async () => undefined,
  show: async () => undefined,
};

/** The growing page is a message; without edits it cannot be shown, and only full ones are posted. */
function byMessages<Body>({ adapter, posted, pacing }: StreamingOptions<Body>): StreamingStrategy<Body> {
  return {
    get seen() {
      return !posted.empty;
    },
    // That something is seen at all is worth more than the room which an earlier answer has not paid back yet.
    waitMs: () => pacing.waitMs(posted.empty ? 1 : 0),
    room: (signal) => pacing.room(signal),
    show: (pages) => posted.show(adapter.edit ? pages : pages.slice(0, -1), pacing.write),
  };
}

/** The growing page is a draft, full ones are messages. */
function byDrafts<Body>(options: StreamingOptions<Body>): StreamingStrategy<Body> {
  const { adapter, event, posted, pacing } = options;
  const { pace } = adapter;
  const written = byMessages(options);
  let isPossible = true;
  let last: { readonly look: string; readonly at: number } | undefined;

  return {
    get seen() {
      return last !== undefined || written.seen;
    },
    get againMs() {
      return isPossible ? pace.redraft : undefined;
    },
    waitMs: () => {
      if (!isPossible) return written.waitMs();
      return last ? Math.max(0, last.at + (pace.draft ?? pace[event.chat.kind]) - Date.now()) : 0;
    },
    // Drafts are counted apart.
    room: async (signal) => (isPossible ? undefined : written.room(signal)),
    show: async (pages) => {
      if (isPossible) {
        await posted.show(pages.slice(0, -1), pacing.write);
        await showDraft(pages);
      }
      if (!isPossible) await written.show(pages);
    },
  };

  async function showDraft(pages: readonly Body[]): Promise<void> {
    const page = pages.at(-1);
    const look = JSON.stringify([pages.length, page]);
    const at = Date.now();
    if (page === undefined || (last?.look === look && at < last.at + (pace.redraft ?? Infinity))) return;
    try {
      await adapter.draft?.(event.to, `${event.id}#${pages.length - 1}`, page);
      last = { look, at };
      markStage("drafted", event);
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.permanent) throw error;
      isPossible = false;
    }
  }
}
