import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { RecordStore } from "../conversations/record-store.ts";

const siteRecord = z.object({ site: z.string() });

/** Returns a function that reads the site's random name, or makes one. All processes of the bot get the same; no secret. */
export function createSite(store: RecordStore): () => Promise<string> {
  let site: Promise<string> | undefined;
  return async () => {
    site ??= readOrCreate();
    try {
      return await site;
    } catch (error) {
      site = undefined;
      throw error;
    }
  };

  async function readOrCreate(): Promise<string> {
    const existing = await read();
    if (existing) return existing;
    // If several processes write a name at the same time, only the first succeeds.
    const failure = await store
      .set("site", { revision: 1, site: randomBytes(6).toString("hex") })
      .catch((error: unknown) => error);
    const written = await read();
    if (written) return written;
    throw failure;
  }

  async function read(): Promise<string | undefined> {
    return siteRecord.safeParse(await store.get("site")).data?.site;
  }
}
