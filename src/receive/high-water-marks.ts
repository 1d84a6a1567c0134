import type { Adapter } from "../adapter.ts";
import type { Session } from "../postgres/session.ts";

/** How often processes tell each other how far they have seen, in ms. */
const PUBLISH_EVERY_MS = 500;

/** Lets the processes of the same bots know how far each has seen; ends with what it returns. */
export function shareHighWaterMarks(adapters: readonly Adapter[], session: Session): () => void {
  const told = new Map<string, string>();
  const marks = new Map(
    adapters.flatMap(({ name, cluster }) =>
      cluster?.highWaterMark ? [[name, cluster.highWaterMark] as const] : [],
    ),
  );
  session.hear("sight", (what) => {
    const { platform, seen } = what as { platform: string; seen: string };
    marks.get(platform)?.raise(seen);
  });
  const timer = setInterval(() => {
    for (const [platform, mark] of marks) {
      const seen = mark.get();
      if (seen === undefined || told.get(platform) === seen) continue;
      told.set(platform, seen);
      // Whoever does not hear of it hears of the next.
      session.tell("sight", { platform, seen }).catch(() => undefined);
    }
  }, PUBLISH_EVERY_MS);
  return () => clearInterval(timer);
}
