import { Refused } from "./client.ts";
import { describeError } from "./sign-in.ts";

/** A message that has not reached the server yet. */
export interface Unsent {
  /** The server accepts a message with the same id only once. */
  readonly id: string;
  readonly thread: string;
  readonly text: string;
  /** As `data:` URLs; if absent, the images of the turn that is replaced. */
  readonly images?: readonly string[];
  readonly locale: string;
  readonly replaces?: string;
  readonly persona?: string | undefined;
  readonly model?: string | undefined;
  /** Why the server refused it; absent while it is being sent. */
  why?: string | undefined;
}

/** Keeps messages until the server has accepted them, even if the page is reloaded. */
export interface Outbox {
  add(message: Omit<Unsent, "id" | "why">): void;
  /** The messages of a conversation. */
  of(thread: string): readonly Unsent[];
  /** Removes the message of a turn, which the server has accepted. */
  sent(turn: string): void;
  /** Sends a message that was refused again. */
  retry(message: Unsent): void;
  /** Discards a message. */
  drop(message: Unsent): void;
}

/** The pause before another attempt, in ms. */
const RETRY_MS = 2_000;

export interface OutboxOptions {
  readonly user: string;
  readonly onChange: () => void;
  readonly post: (message: Unsent) => Promise<void>;
}

/** Creates an outbox in the browser's storage. */
export function createOutbox({ user, onChange, post }: OutboxOptions): Outbox {
  const storageKey = `unsent ${user}`;
  let all = JSON.parse(localStorage.getItem(storageKey) ?? "[]") as Unsent[];
  let isRunning = false;
  void run();

  return {
    add: (message) => {
      all.push({ ...message, id: crypto.randomUUID() });
      save();
      void run();
    },
    of: (thread) => all.filter((message) => message.thread === thread),
    sent: (turn) => remove(({ id }) => turn.endsWith(`-${id}`)),
    retry: (message) => {
      message.why = undefined;
      save();
      void run();
    },
    drop: (message) => remove(({ id }) => id === message.id),
  };

  function remove(isRemoved: (message: Unsent) => boolean): void {
    all = all.filter((message) => !isRemoved(message));
    save();
  }

  function save(): void {
    try {
      localStorage.setItem(storageKey, JSON.stringify(all));
    } catch {
      // Images may exceed what the browser stores. Then the messages are kept only until the page is closed.
      localStorage.removeItem(storageKey);
    }
    onChange();
  }

  /** Sends the messages one after another, in the order in which they were written. */
  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    for (let next = ready(); next; next = ready()) {
      const message = next;
      try {
        await post(message);
        remove(({ id }) => id === message.id);
      } catch (error) {
        const isTemporary = error instanceof Refused && (error.status === 0 || error.status >= 500);
        if (!isTemporary) message.why = describeError(error);
        save();
        if (isTemporary) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    isRunning = false;
  }

  function ready(): Unsent | undefined {
    return all.find(({ why }) => why === undefined);
  }
}
