import { randomUUID } from "node:crypto";
import type { Lock, ClusterSession } from "../postgres/session.ts";

/** The partitions of one adapter that this process receives. A lock for each keeps other processes away from it. */
export interface PartitionShare {
  /** The acquired partitions that exceed this process's fair share. */
  surplus(): readonly string[];
  /** Releases a partition. */
  leave(partition: string): Promise<void>;
  /** Acquires free partitions up to the fair share; `lost` is called when one of them is lost later. */
  acquire(lost: (partition: string) => void): Promise<readonly string[]>;
  /** Releases all partitions and stops competing for them. */
  release(): Promise<void>;
}

export interface PartitionShareOptions {
  readonly partitions: readonly string[];
  readonly session: ClusterSession;
  /** The name of the adapter. */
  readonly name: string;
}

/** Joins the processes that share the partitions of an adapter. */
export function createPartitionShare({ partitions, session, name }: PartitionShareOptions): PartitionShare {
  const acquired = new Map<string, Lock>();
  // Processes of other versions use the same two names.
  const group = `parts of ${name}`;
  const candidates = `for ${group}`;
  /** Each process that competes for partitions holds one lock of this group, so that they can be counted. */
  const candidacy = session.lock({ group: candidates, name: randomUUID() });
  const fairShare = () => Math.ceil(partitions.length / Math.max(1, session.countLocks(candidates) ?? 1));

  return {
    surplus: () => [...acquired.keys()].slice(fairShare()),
    leave: async (partition) => {
      const lock = acquired.get(partition);
      acquired.delete(partition);
      await lock?.release();
    },
    acquire: async (lost) => {
      await candidacy.tried;
      const room = fairShare() - acquired.size;
      if (room <= 0 || !session.alive()) return [];
      const free = await session.findUnlocked(group, partitions);
      const tried = await Promise.all(free.slice(0, room).map((partition) => tryToAcquire(partition, lost)));
      return tried.filter((partition) => partition !== undefined);
    },
    release: async () => {
      await Promise.all([candidacy, ...acquired.values()].map((lock) => lock.release()));
      acquired.clear();
    },
  };

  async function tryToAcquire(
    partition: string,
    lost: (partition: string) => void,
  ): Promise<string | undefined> {
    const lock = session.lock({
      group,
      name: partition,
      lost: () => {
        acquired.delete(partition);
        void lock.release();
        lost(partition);
      },
    });
    await lock.tried;
    if (lock.held) {
      acquired.set(partition, lock);
      return partition;
    }
    await lock.release();
    return undefined;
  }
}
