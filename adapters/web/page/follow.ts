import { call, currentUser, Refused, type Session, type Update } from "./client.ts";

export interface Subscriber {
  receive(update: Update, position: string): void;
  /** Updates may have been missed: everything has to be loaded again. */
  gap(): void;
  /** Called when the server is reached, and when it cannot be reached. */
  connected(is: boolean): void;
  /** The user is no longer signed in. */
  signedOut(): void;
}

/** How long to wait for the beginning of a stream, in ms. If it does not arrive, a proxy buffers it, and the page polls. */
const HELLO_TIMEOUT_MS = 6_000;

/** The pause before another attempt, in ms. */
const RETRY_MS = 1_500;

/** Subscribes to the updates of all conversations, for as long as the page is open. */
export function follow(subscriber: Subscriber): void {
  let source: EventSource | undefined;
  let last: string | undefined;
  let hasEnded = false;
  let timer = 0;
  open();

  function open(): void {
    if (hasEnded) return;
    source = new EventSource(`api/events?as=${encodeURIComponent(currentUser() ?? "")}${after()}`);
    timer = window.setTimeout(() => {
      source?.close();
      void poll();
    }, HELLO_TIMEOUT_MS);
    source.addEventListener("hello", (event) => {
      clearTimeout(timer);
      subscriber.connected(true);
      if ((JSON.parse(event.data as string) as { gap: boolean }).gap) subscriber.gap();
    });
    source.addEventListener("news", (event) => {
      last = event.lastEventId;
      subscriber.receive(JSON.parse(event.data as string) as Update, last);
    });
    source.addEventListener("ended", () => {
      hasEnded = true;
      source?.close();
      subscriber.signedOut();
    });
    source.addEventListener("error", () => {
      subscriber.connected(false);
      clearTimeout(timer);
      source?.close();
      timer = window.setTimeout(() => void reopen(), RETRY_MS);
    });
  }

  function after(): string {
    return last === undefined ? "" : `&after=${encodeURIComponent(last)}`;
  }

  /** A stream that the server refuses does not say why, so the session is checked first. */
  async function reopen(): Promise<void> {
    if (await isSignedOut()) return subscriber.signedOut();
    open();
  }

  async function isSignedOut(): Promise<boolean> {
    return call<Session>("GET", "session").then(
      ({ user }) => user !== currentUser(),
      () => false,
    );
  }

  async function poll(): Promise<void> {
    while (!hasEnded) {
      try {
        const answer = await call<{ gap: boolean; position: string; news: { id: string; news: Update }[] }>(
          "GET",
          `events?wait=1${after()}`,
        );
        subscriber.connected(true);
        last = answer.position;
        if (answer.gap) subscriber.gap();
        for (const { id, news } of answer.news) subscriber.receive(news, id);
      } catch (error) {
        if (error instanceof Refused && error.status === 401) return subscriber.signedOut();
        subscriber.connected(false);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

/** Whether an update follows a position; true if the two cannot be compared. */
export function isAfter(update: string, position: string): boolean {
  const [run, number] = update.split("-");
  const [otherRun, otherNumber] = position.split("-");
  return run !== otherRun || Number(number) > Number(otherNumber);
}
