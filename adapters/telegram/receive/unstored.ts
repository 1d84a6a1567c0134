import type { Receive } from "../../../src/adapter.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { localeOf, texts } from "../../../src/i18n/texts.ts";

export interface UnstoredOptions {
  /** Sends the text to the chat of the event; rejects if it cannot be sent. */
  readonly notify: (event: ChatEvent, text: string) => Promise<unknown>;
  /** How long a message may remain unstored before its user is notified, in ms. */
  readonly patienceMs: number;
}

/** Notifies users whose messages cannot be stored. Telegram keeps the messages, but the users would not know. */
export interface Unstored {
  /** Stores the event. A chat is notified once, until one of its events is stored. */
  receive(event: ChatEvent, store: Receive): Promise<void>;
  /** Cancels all pending notifications. */
  stop(): void;
}

/** The most chats that are notified while the store is unavailable. */
const MAX_CHATS = 1000;

/** Measures how long the events of each chat remain unstored, over all attempts. */
export function createUnstored({ notify, patienceMs }: UnstoredOptions): Unstored {
  const waiting = new Map<string, NodeJS.Timeout>();

  return {
    receive: async (event, store) => {
      const { id } = event.chat;
      if (!waiting.has(id) && waiting.size < MAX_CHATS && !event.silent) {
        const say = texts(localeOf(event.user.locale, event.text));
        const late = () => void notify(event, say("unstored.later")).catch(() => undefined);
        waiting.set(id, setTimeout(late, patienceMs).unref());
      }
      await store(event);
      clearTimeout(waiting.get(id));
      waiting.delete(id);
    },
    stop: () => {
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}
