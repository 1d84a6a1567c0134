import { Refused } from "./client.ts";
import { told } from "./sign-in.ts";

/** Something that was written and has not reached the server. */
export interface Unsent {
  /** The server takes the same message once. */
  readonly id: string;
  readonly thread: string;
  readonly text: string;
  /** As `data:` URLs; absent: those of the turn that is replaced. */
  readonly images?: readonly string[];
  readonly locale: string;
  readonly replaces?: string;
  readonly persona?: string | undefined;
  readonly model?: string | undefined;
  /** Why the server does not take it; absent while it is being sent. */
  why?: string | undefined;
}

/** What was written stays here, over reloads too, until the server has it. */
export interface Outbox {
  add(message: Omit<Unsent, "id" | "why">): void;
  of(thread: string): readonly Unsent[];
  /** The server has taken it in. */
  sent(turn: string): void;
  again(message: Unsent): void;
  drop(message: Unsent): void;
}

/** The pause before another try, in ms. */
const PAUSE_MS = 2_000;

export interface OutboxOptions {
  readonly user: string;
  readonly changed: () => void;
  readonly post: (message: Unsent) => Promise<void>;
}

/** An outbox in the browser's own storage. */
export function outbox({ user, changed, post }: OutboxOptions): Outbox {
  const place = `unsent ${user}`;
  let all = JSON.parse(localStorage.getItem(place) ?? "[]") as Unsent[];
  let running = false;
  void run();

  return {
    add: (message) => {
      all.push({ ...message, id: crypto.randomUUID() });
      save();
      void run();
    },
    of: (thread) => all.filter((message) => message.thread === thread),
    sent: (turn) => take(({ id }) => turn.endsWith(`-${id}`)),
    again: (message) => {
      message.why = undefined;
      save();
      void run();
    },
    drop: (message) => take(({ id }) => id === message.id),
  };

  function take(which: (message: Unsent) => boolean): void {
    all = all.filter((message) => !which(message));
    save();
  }

  function save(): void {
    try {
      localStorage.setItem(place, JSON.stringify(all));
    } catch {
      // With images it may be more than the browser keeps: then it is here as long as the page is.
      localStorage.removeItem(place);
    }
    changed();
  }

  /** One after the other, in the order in which they were written. */
  async function run(): Promise<void> {
    if (running) return;
    running = true;
    for (let next = ready(); next; next = ready()) {
      const message = next;
      try {
        await post(message);
        take(({ id }) => id === message.id);
      } catch (error) {
        const passes = error instanceof Refused && (error.status === 0 || error.status >= 500);
        if (!passes) message.why = told(error);
        save();
        if (passes) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
    running = false;
  }

  function ready(): Unsent | undefined {
    return all.find(({ why }) => why === undefined);
  }
}
