import { randomUUID } from "node:crypto";
import type { Update } from "./updates.ts";

/** The updates of each user. Every subscriber of a user receives all of that user's updates, in order. */
export interface Feed {
  publish(user: string, update: Update): void;
  /** The position of the user's newest update. */
  position(user: string): string;
  /**
   * Subscribes to a user's updates. The updates that followed the position `after` are delivered first. `gap` is true if
   * those are no longer known, or `after` never was: the subscriber must then load everything again.
   */
  subscribe(
    user: string,
    after: string | undefined,
    receive: ReceiveUpdate,
  ): { readonly gap: boolean; unsubscribe(): void };
}

export type ReceiveUpdate = (position: string, update: Update) => void;

/** How many updates of a user are kept for a page that reconnects: about half a minute of a streaming answer. */
const MAX_KEPT = 300;

/** How long a user's updates are kept after the last subscriber has left, in ms. */
const FORGET_AFTER_MS = 120_000;

interface UserFeed {
  /** The number of the oldest update in `updates`. */
  first: number;
  updates: Update[];
  readonly subscribers: Set<ReceiveUpdate>;
  leftAt: number;
}

/** Creates a feed in memory. */
export function createFeed(): Feed {
  // Positions of an earlier run of the program are not valid in this one.
  const run = randomUUID().slice(0, 8);
  const feeds = new Map<string, UserFeed>();

  return {
    publish: (user, update) => {
      const feed = feeds.get(user);
      // Without a feed, no page knows a position: a later subscriber loads everything anyway.
      if (!feed) return;
      feed.updates.push(update);
      if (feed.updates.length > MAX_KEPT) {
        feed.first += 1;
        feed.updates.shift();
      }
      for (const receive of feed.subscribers) receive(positionOf(feed), update);
    },
    position: (user) => positionOf(find(user)),
    subscribe: (user, after, receive) => {
      forgetIdle();
      const feed = find(user);
      const from = Number(after?.startsWith(`${run}-`) ? after.slice(run.length + 1) : Number.NaN);
      const next = feed.first + feed.updates.length;
      const gap = !(from >= feed.first - 1 && from < next);
      if (!gap)
        feed.updates
          .slice(from + 1 - feed.first)
          .forEach((update, index) => receive(`${run}-${from + 1 + index}`, update));
      feed.subscribers.add(receive);
      return {
        gap,
        unsubscribe: () => {
          if (feed.subscribers.delete(receive)) feed.leftAt = Date.now();
        },
      };
    },
  };

  function positionOf({ first, updates }: UserFeed): string {
    return `${run}-${first + updates.length - 1}`;
  }

  function find(user: string): UserFeed {
    const feed = feeds.get(user) ?? { first: 1, updates: [], subscribers: new Set(), leftAt: Date.now() };
    feeds.set(user, feed);
    return feed;
  }

  function forgetIdle(): void {
    for (const [user, { subscribers, leftAt }] of feeds)
      if (subscribers.size === 0 && leftAt < Date.now() - FORGET_AFTER_MS) feeds.delete(user);
  }
}
