import { z } from "zod";
import type { Feed, Hear } from "../conversations/feed.ts";
import { type News, seen } from "../conversations/news.ts";
import { type Described, Refused } from "./route.ts";
import type { Watched } from "../accounts/watch.ts";

interface Following {
  readonly listeners: Listeners;
  readonly feed: Feed;
  readonly user: string;
  /** The last news that the page knows. */
  readonly after: string | undefined;
  /** The session that is followed. */
  readonly watched: Watched;
}

/** So often something is sent, so that neither side nor a proxy takes the connection for dead, in ms. */
const BEAT_MS = 20_000;

/**
 * At most this many of a person's pages listen at once, on all devices: far more than somebody has open. The oldest one
 * ends, and comes back if it is still there.
 */
const MAX_LISTENING = 200;

/** A page that takes nothing in while so many bytes wait for it is let go: it comes back and looks anew. */
const MAX_WAITING = 250_000;

/** Some proxies hold an answer back until so many bytes of it are there. */
const PADDING = `:${" ".repeat(2048)}\n\n`;

/** A page where such a stream does not arrive asks again and again instead; so long it is told to wait, in ms. */
const WAIT_MS = 20_000;

const GATHER_MS = 50;

/** The headers of Server-Sent Events that nothing on the way holds back. */
export const EVENT_STREAM = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  // nginx asks nothing else.
  "x-accel-buffering": "no",
};

const gap = z
  .boolean()
  .describe("Whether something may have been missed: then look at the conversation anew.");
const waited = z.object({
  gap,
  position: z.string().describe("The next request wants it as `after`."),
  news: z.array(z.object({ id: z.string(), news: seen })),
});

/** News at their address. */
export const EVENTS: Described = {
  method: "get",
  path: "/api/events",
  summary:
    "What is new in all of one's conversations, as Server-Sent Events: `hello` with `{ gap }`, and then `news` after " +
    "`news`, each as below and with its position as `id`; `ended` once one is not signed in any more. A client that " +
    "comes back says the last one that it has heard, in the header Last-Event-ID or as `after`. With `wait`, as JSON as " +
    "soon as there is something.",
  query: z.object({ after: z.string().optional(), wait: z.string().optional() }),
  answer: waited,
  media: "text/event-stream",
};

/** The pages of all people that listen. */
export interface Listeners {
  /** One more; `end` is called when others have taken its place. Returns how to leave. */
  add(user: string, end: () => void): () => void;
}

/** Nobody listens yet. */
export function createListeners(most = MAX_LISTENING): Listeners {
  const people = new Map<string, Set<() => void>>();
  return {
    add: (user, end) => {
      const own = people.get(user) ?? new Set();
      people.set(user, own);
      const [oldest] = own;
      if (oldest && own.size >= most) {
        own.delete(oldest);
        oldest();
      }
      const leave = () => end();
      own.add(leave);
      return () => {
        own.delete(leave);
        if (own.size === 0 && people.get(user) === own) people.delete(user);
      };
    },
  };
}

/** What programs get of an answer is not for pages, which get the same as HTML. */
function isSeen(news: News): news is z.infer<typeof seen> {
  return news.kind !== "raw";
}

/**
 * News as Server-Sent Events: `hello` at the beginning, with `gap` if the page has to look at everything anew, and then
 * one `news` for each, whose id is its position.
 */
export function streamNews({ listeners, feed, user, after, watched }: Following): Response {
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
        const early: string[] = [];
        let send = (text: string): void => void early.push(text);
        const following = feed.follow(user, after, (position, news) => {
          if (isSeen(news)) send(eventOf("news", news, position));
        });
        const beat = setInterval(() => write(":\n\n"), BEAT_MS);
        const leave = listeners.add(user, () => {
          end();
          controller.close();
        });
        end = () => {
          clearInterval(beat);
          following.stop();
          watched.stop();
          leave();
        };
        watched.ended.addEventListener("abort", () => {
          controller.enqueue(encoder.encode(eventOf("ended", {})));
          end();
          controller.close();
        });
        write(PADDING + eventOf("hello", { gap: following.gap }));
        for (const text of early) write(text);
        send = write;
      },
      cancel: () => end(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING }),
  );
  return new Response(stream, {
    headers: EVENT_STREAM,
  });
}

/** The news since then as JSON, as soon as there are any. */
export async function waitForNews(
  { listeners, feed, user, after, watched }: Following,
  gone: AbortSignal,
): Promise<Response> {
  const heard: { readonly id: string; readonly news: z.infer<typeof seen> }[] = [];
  let wake = () => {};
  const hear: Hear = (id, one) => {
    if (!isSeen(one)) return;
    heard.push({ id, news: one });
    wake();
  };
  let ended = () => {};
  const following = feed.follow(user, after, hear);
  if (!following.gap && heard.length === 0) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, WAIT_MS);
      // What comes right behind it goes along.
      wake = () => {
        clearTimeout(timer);
        setTimeout(resolve, GATHER_MS);
      };
      for (const signal of [gone, watched.ended])
        signal.addEventListener("abort", () => resolve(), { once: true });
      const leave = listeners.add(user, resolve);
      ended = () => {
        clearTimeout(timer);
        leave();
      };
    });
    ended();
  }
  following.stop();
  watched.stop();
  if (watched.ended.aborted) throw new Refused(401, "Please sign in again.");
  const answer: z.infer<typeof waited> = {
    gap: following.gap,
    position: feed.position(user),
    news: heard,
  };
  return Response.json(answer);
}

function eventOf(event: string, data: object, id?: string): string {
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
