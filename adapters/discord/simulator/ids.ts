import { createHash } from "node:crypto";

/** The first second of 2015, from which snowflakes count, in ms since the epoch (API reference, "Snowflakes"). */
const DISCORD_EPOCH = 1_420_070_400_000n;

/** Creates a generator of ids like Discord's: 42 bits of ms and a counter, so that they sort by time. */
export function createSnowflakes(clock: () => number): () => string {
  let last = 0n;
  return () => {
    const now = (BigInt(Math.floor(clock())) - DISCORD_EPOCH) << 22n;
    last = now > last ? now : last + 1n;
    return String(last);
  };
}

/** An id of 18 digits that depends only on the name, so that "ann" has the same id after a restart. */
export function idOf(name: string): string {
  const digest = createHash("sha256").update(name).digest();
  return String(10n ** 17n + (digest.readBigUInt64BE() % (8n * 10n ** 17n)));
}
