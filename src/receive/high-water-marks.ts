import type { Adapter } from "../adapter.ts";
import type { ClusterSession } from "../postgres/session.ts";

/** How often each process publishes its marks, in ms. */
const PUBLISH_EVERY_MS = 500;

/** The topic of the marks. It is part of the protocol between processes of different versions. */
const TOPIC = "sight";

/** Shares the high-water marks of the processes that run the same bots. Returns a function that stops it. */
export function shareHighWaterMarks(adapters: readonly Adapter[], session: ClusterSession): () => void {
  const published = new Map<string, string>();
  const marks = new Map(
    adapters.flatMap(({ name, cluster }) =>
      cluster?.highWaterMark ? [[name, cluster.highWaterMark] as const] : [],
    ),
  );
  session.subscribe(TOPIC, (message) => {
    const { platform, seen } = message as { platform: string; seen: string };
    marks.get(platform)?.raise(seen);
  });
  const timer = setInterval(() => {
    for (const [platform, mark] of marks) {
      const seen = mark.get();
      if (seen === undefined || published.get(platform) === seen) continue;
      published.set(platform, seen);
      // A process that misses this mark receives the next one.
      session.publish(TOPIC, { platform, seen }).catch(() => undefined);
    }
  }, PUBLISH_EVERY_MS);
  return () => clearInterval(timer);
}
