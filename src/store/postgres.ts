import { ConfigError } from "../errors.ts";
import { keysOf, openRecords, sizeOfRecords } from "../postgres/records.ts";
import { openTables } from "../postgres/tables.ts";
import { createStore } from "./base.ts";
import type { Store } from "./store.ts";

/** Opens a store in PostgreSQL, which any number of processes may share. */
export async function openPostgresStore(url: string): Promise<Store> {
  const postgres = await openTables(url);
  const store = createStore({
    create: async (name) => openRecords(postgres, name),
    keys: (name, prefix) => keysOf(postgres, name, prefix),
    size: (name, prefix) => sizeOfRecords(postgres, name, prefix),
    backup: async () => {
      throw new ConfigError(
        "store_url",
        "STORE_URL is a PostgreSQL database: back it up with `pg_dump --format=custom`, while the program runs if you like.",
      );
    },
  });
  return {
    ...store,
    postgres,
    close: async () => {
      await store.close();
      await postgres.close();
    },
  };
}
