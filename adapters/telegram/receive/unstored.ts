import type { Receive } from "../../../src/adapter.ts";
import type { ChatEvent } from "../../../src/event.ts";

export interface UnstoredOptions {
  /** Says it in the chat of the event; rejects if it cannot be said. */
  readonly tell: (event: ChatEvent, text: string) => Promise<unknown>;
  /** How long a message may wait before its person is told, in ms. */
  readonly patienceMs: number;
}

/** Tells people whose messages cannot be stored: Telegram keeps them, but nobody would know. */
export interface Unstored {
  /** Stores the event; each chat is told once, until something that was said in it is stored. */
  receive(event: ChatEvent, store: Receive): Promise<void>;
  /** Nobody is told any more. */
  stop(): void;
}

/** So many chats are told, for as long as the store is away. */
const MAX_CHATS = 1000;

const sentence = {
  en: "I cannot remember anything just now; I will answer as soon as I can.",
  zh: "我现在什么都记不住;一旦恢复,马上回答你。",
} as const;

/** Watches how long what was said in each chat waits for being stored, over all attempts. */
export function createUnstored({ tell, patienceMs }: UnstoredOptions): Unstored {
  const waiting = new Map<string, NodeJS.Timeout>();

  return {
    receive: async (event, store) => {
      const { id } = event.chat;
      if (!waiting.has(id) && waiting.size < MAX_CHATS && !event.silent) {
        const late = () => void tell(event, sentenceIn(event.user.locale)).catch(() => undefined);
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

/** In both languages if theirs is unknown. */
function sentenceIn(locale: string | undefined): string {
  if (!locale) return `${sentence.en}\n${sentence.zh}`;
  return locale.toLowerCase().startsWith("zh") ? sentence.zh : sentence.en;
}
