import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Link, openLink } from "../support/link.ts";
import { startPostgres } from "../support/postgres.ts";
import type { Kind } from "./faults.ts";

/** Where the program keeps everything, and what can befall that. */
export interface ChaosStore {
  /** How many processes share it. */
  readonly processes: number;
  /** The `STORE_URL` of a process. */
  urlOf(process: number): string;
  readonly faults: readonly Kind[];
  close(): Promise<void>;
}

/** How long a server is gone, or out of reach, in ms. */
const AWAY_MS = [200, 8_000] as const;

/** By the name that `--store` gives. */
export const STORES: Readonly<Record<string, (folder: string) => Promise<ChaosStore>>> = {
  sqlite: async (folder) => ({
    processes: 1,
    urlOf: () => `sqlite:${join(folder, "store.sqlite")}`,
    faults: [],
    close: async () => undefined,
  }),
  postgres: openPostgresChaos,
};

async function openPostgresChaos(): Promise<ChaosStore> {
  const processes = 4;
  const server = await startPostgres();
  const url = new URL(await server.createDatabase());
  const links = await Promise.all(Array.from({ length: processes }, () => openLink(Number(url.port))));
  let turn: Promise<unknown> = Promise.resolve();
  const oneAfterTheOther = (action: () => Promise<unknown>) => {
    turn = turn.then(action);
  };
  const away = async (link: Link, ms: number) => {
    link.block();
    await sleep(ms);
    link.mend();
  };

  return {
    processes,
    urlOf: (process) => Object.assign(new URL(url), { port: String(links[process]?.port) }).href,
    faults: [
      {
        name: "PostgreSQL: kill -9",
        weight: 2,
        play: (random) => {
          const ms = random.between(...AWAY_MS);
          oneAfterTheOther(async () => {
            await server.kill();
            await sleep(ms);
            await server.start();
          });
        },
      },
      {
        name: "PostgreSQL: connections of a process cut",
        weight: 4,
        play: (random) => links[random.between(0, processes - 1)]?.cut(),
      },
      {
        name: "PostgreSQL: out of a process's reach",
        weight: 2,
        play: (random) => {
          const link = links[random.between(0, processes - 1)];
          if (link) void away(link, random.between(...AWAY_MS));
        },
      },
    ],
    close: async () => {
      await turn;
      await Promise.all(links.map((link) => link.close()));
      await server.close();
    },
  };
}
