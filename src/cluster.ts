import type { Adapter } from "./adapter.ts";
import type { PacingPeers, WriteRefusal } from "./delivery/pacing.ts";
import type { Log } from "./log.ts";
import type { Postgres } from "./postgres/pool.ts";
import type { ClusterSession } from "./postgres/session.ts";
import { WORKERS } from "./queue/retry-policy.ts";
import { shareHighWaterMarks } from "./receive/high-water-marks.ts";

/** What the processes of a bot that share a database publish to one another. */
export interface ClusterMember {
  readonly session: ClusterSession;
  /** The other processes that write to the same platforms. */
  readonly pacingPeers: PacingPeers;
  leave(): Promise<void>;
}

/** Joins the other processes. PostgreSQL's packages are loaded only here. */
export async function joinCluster(
  postgres: Postgres,
  { adapters, log }: { readonly adapters: readonly Adapter[]; readonly log: Log },
): Promise<ClusterMember> {
  const { openSession } = await import("./postgres/session.ts");
  const session = openSession(postgres, log);
  connectPubSub(adapters, session);
  const stopSharing = shareHighWaterMarks(adapters, session);
  return {
    session,
    pacingPeers: pacingPeersOf(session),
    leave: async () => {
      stopSharing();
      await session.close();
    },
  };
}

/** Connects the adapters of each platform in all processes. */
function connectPubSub(adapters: readonly Adapter[], session: ClusterSession): void {
  for (const { name, cluster } of adapters) {
    const { pubSub } = cluster ?? {};
    if (!pubSub) continue;
    pubSub.connect((message) => session.publish(`peers:${name}`, message));
    session.subscribe(`peers:${name}`, (message) => pubSub.receive(message));
  }
}

function pacingPeersOf(session: ClusterSession): PacingPeers {
  return {
    writers: () => session.countLocks(WORKERS),
    // A process that misses this is refused by the platform as well.
    publish: (refusal) => void session.publish("refused", refusal).catch(() => undefined),
    subscribe: (listener) => session.subscribe("refused", (message) => listener(message as WriteRefusal)),
  };
}
