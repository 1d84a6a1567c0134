import { z } from "zod";
import type { Feed, Hear } from "./feed.ts";
import { type News, news } from "./news.ts";
import { type Described, Refused } from "./route.ts";
import type { Watched } from "./watch.ts";

interface Following {
  readonly feed: Feed;
  readonly user: string;
  /** The last news that the page knows. */
  readonly after: string | undefined;
  /** The session of whoever follows. */
  readonly watched: Watched;
}

/** So often something is sent, so that neither side nor a proxy takes the connection for dead, in ms. */
const BEAT_MS = 20_000;

/** A page that takes nothing in while so many bytes wait for it is let go: it comes back and looks anew. */
const MOST_WAITING = 1_000_000;

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
  news: z.array(z.object({ id: z.string(), news })),
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

/**
 * News as Server-Sent Events: `hello` at the beginning, with `gap` if the page has to look at everything anew, and then
 * one `news` for each, whose id is its position.
 */
export function streamNews({ feed, user, after, watched }: Following): Response {
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
        const following = feed.follow(user, after, (position, news) => send(eventOf("news", news, position)));
        const beat = setInterval(() => write(":\n\n"), BEAT_MS);
        end = () => {
          clearInterval(beat);
          following.stop();
          watched.stop();
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
    new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING }),
  );
  return new Response(stream, {
    headers: EVENT_STREAM,
  });
}

/** The news since then as JSON, as soon as there are any. */
export async function waitForNews(
  { feed, user, after, watched }: Following,
  gone: AbortSignal,
): Promise<Response> {
  const heard: { readonly id: string; readonly news: News }[] = [];
  let wake = () => {};
  const hear: Hear = (id, one) => {
    heard.push({ id, news: one });
    wake();
  };
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
    });
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
