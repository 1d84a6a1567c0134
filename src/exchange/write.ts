import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { partOf, putInPlace } from "../system/owner-only.ts";

/**
 * Writes a file under a temporary name and renames it once it is complete. Only its owner may read it, and no link is
 * followed. Rejects with a `ConfigError` if the name is taken, unless `replace` is set.
 */
export async function writeWhole(
  path: string,
  chunks: AsyncIterable<string>,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  const part = partOf(path);
  try {
    await pipeline(Readable.from(chunks), createWriteStream(part, { flags: "wx", mode: 0o600, flush: true }));
    putInPlace(part, path, { replace });
  } finally {
    await rm(part, { force: true });
  }
}
