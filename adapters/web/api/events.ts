import { z } from "zod";
import type { Watched } from "../accounts/watch.ts";
import type { Feed } from "../conversations/feed.ts";
import { pageUpdate, type Update } from "../conversations/updates.ts";
import { Refused } from "../refused.ts";
import type { Operation } from "./route.ts";

interface Subscription {
  readonly listeners: Listeners;
  readonly feed: Feed;
  readonly user: string;
  /** The position of the last update that the page knows. */
  readonly after: string | undefined;
  /** The session that the page is open in. */
  readonly watched: Watched;
}

/** How often a comment is sent, so that neither side nor a proxy takes the connection for dead, in ms. */
const HEARTBEAT_MS = 20_000;

/**
 * How many pages of one user listen at once, on all devices: far more than a user has open. Beyond that the oldest stream
 * ends; its page reconnects if it is still open.
 */
const MAX_LISTENING = 200;

/** How many bytes may wait for a page that reads nothing. Then its stream ends; the page reconnects and reloads. */
const MAX_WAITING = 250_000;

/** Some proxies hold a response back until they have this much of it. */
const PADDING = `:${" ".repeat(2048)}\n\n`;

/** How long a page that polls, because streams do not reach it, waits for an update, in ms. */
const POLL_MS = 20_000;

/** How long a poll waits for further updates after the first one, in ms. */
const GATHER_MS = 50;

/** The headers of a stream of Server-Sent Events that no proxy buffers. */
export const EVENT_STREAM = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  // nginx respects only this one.
  "x-accel-buffering": "no",
};

type PageUpdate = z.infer<typeof pageUpdate>;

const gap = z.boolean().describe("Whether updates may have been missed; if so, load the conversation again.");
const polled = z.object({
  gap,
  position: z.string().describe("Pass it as `after` in the next request."),
  news: z.array(z.object({ id: z.string(), news: pageUpdate })),
});

/** The operation that `streamUpdates` and `waitForUpdates` carry out. */
export const EVENTS: Operation = {
  method: "get",
  path: "/api/events",
  summary:
    "What is new in all of one's conversations, as Server-Sent Events: `hello` with `{ gap }`, and then `news` after " +
    "`news`, each as below and with its position as `id`; `ended` once one is not signed in any more. A client that " +
    "comes back says the last one that it has heard, in the header Last-Event-ID or as `after`. With `wait`, as JSON as " +
    "soon as there is something.",
  query: z.object({ after: z.string().optional(), wait: z.string().optional() }),
  response: polled,
  media: "text/event-stream",
};

/** The pages of all users that are listening for updates. */
export interface Listeners {
  /** Adds a page. `end` is called if newer pages displace it. Returns a function that removes the page. */
  add(user: string, end: () => void): () => void;
}

/** Creates an empty set of listeners, with room for `max` pages of each user. */
export function createListeners(max = MAX_LISTENING): Listeners {
  const users = new Map<string, Set<() => void>>();
  return {
    add: (user, end) => {
      const own = users.get(user) ?? new Set();
      users.set(user, own);
      const [oldest] = own;
      if (oldest && own.size >= max) {
        own.delete(oldest);
        oldest();
      }
      // Wrapped, so that adding the same function twice adds two pages.
      const listener = () => end();
      own.add(listener);
      return () => {
        own.delete(listener);
        if (own.size === 0 && users.get(user) === own) users.delete(user);
      };
    },
  };
}

/**
 * Streams updates as Server-Sent Events: first `hello`, with `gap` if the page has to load everything again, then a `news`
 * event for each update, whose id is its position. `ended` follows once the session has ended.
 */
export function streamUpdates({ listeners, feed, user, after, watched }: Subscription): Response {
  const encoder = new TextEncoder();
  let end = () => {};
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        const write = (text: string) => {
          controller.enqueue(encoder.encode(text));
          if ((controller.desiredSize ?? 0) >= 0) return;
          end();
          controller.close();
        };
        // Updates that the feed delivers while subscribing have to follow `hello`.
        const early: string[] = [];
        let send = (text: string): void => void early.push(text);
        const subscription = feed.subscribe(user, after, (position, update) => {
          if (isForPages(update)) send(eventOf("news", update, position));
        });
        const heartbeat = setInterval(() => write(":\n\n"), HEARTBEAT_MS);
        const leave = listeners.add(user, () => {
          end();
          controller.close();
        });
        end = () => {
          clearInterval(heartbeat);
          subscription.unsubscribe();
          watched.stop();
          leave();
        };
        watched.ended.addEventListener("abort", () => {
          controller.enqueue(encoder.encode(eventOf("ended", {})));
          end();
          controller.close();
        });
        write(PADDING + eventOf("hello", { gap: subscription.gap }));
        for (const text of early) write(text);
        send = write;
      },
      cancel: () => end(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING }),
  );
  return new Response(stream, { headers: EVENT_STREAM });
}

/** Responds with the updates that followed `after`, as JSON, as soon as there are any or `POLL_MS` have passed. */
export async function waitForUpdates(
  { listeners, feed, user, after, watched }: Subscription,
  disconnected: AbortSignal,
): Promise<Response> {
  const received: { readonly id: string; readonly news: PageUpdate }[] = [];
  let wake = () => {};
  const subscription = feed.subscribe(user, after, (id, update) => {
    if (!isForPages(update)) return;
    received.push({ id, news: update });
    wake();
  });
  if (!subscription.gap && received.length === 0) {
    let leave = () => {};
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      // Updates that follow at once go into the same response.
      wake = () => {
        clearTimeout(timer);
        setTimeout(resolve, GATHER_MS);
      };
      for (const signal of [disconnected, watched.ended])
        signal.addEventListener("abort", () => resolve(), { once: true });
      const remove = listeners.add(user, resolve);
      leave = () => {
        clearTimeout(timer);
        remove();
      };
    });
    leave();
  }
  subscription.unsubscribe();
  watched.stop();
  if (watched.ended.aborted) throw new Refused(401, "Please sign in again.");
  const response: z.infer<typeof polled> = {
    gap: subscription.gap,
    position: feed.position(user),
    news: received,
  };
  return Response.json(response);
}

/** Markdown is for the clients of `/v1`; pages get the same as HTML. */
function isForPages(update: Update): update is PageUpdate {
  return update.kind !== "raw";
}

function eventOf(event: string, data: object, id?: string): string {
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
