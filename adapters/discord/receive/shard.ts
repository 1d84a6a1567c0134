/** One of the connections over which Discord spreads what happens: servers by their ids, direct messages to the first. */
export interface Shard {
  readonly index: number;
  /** How many there are together. */
  readonly count: number;
}

/** The bot's id, which is no secret: the first part of its token is that in Base64. */
export function botIn(token: string): string {
  const [first = ""] = token.split(".");
  const id = Buffer.from(first, "base64").toString("latin1");
  return /^\d+$/.test(id) ? id : first;
}

/** All shards, if Discord wants so many. */
export function shardsOf(count: number): Shard[] {
  return Array.from({ length: count }, (_, index) => ({ index, count }));
}

/** The shard's name among the parts of all receiving, such as "discord:1234:0/2". */
export function partOf(bot: string, { index, count }: Shard): string {
  return `discord:${bot}:${index}/${count}`;
}

/** The shard of such a name. */
export function shardIn(bot: string, part: string): Shard {
  const [, index, count] = /:(\d+)\/(\d+)$/.exec(part) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (!(shard.index < shard.count) || partOf(bot, shard) !== part)
    throw new Error(`The Discord bot ${bot} has no part "${part}" to receive.`);
  return shard;
}

/**
 * Where the shard's past is kept. It does not depend on how many shards there are, so that the first one still knows
 * the direct channels when Discord wants more of them.
 */
export function placeOf({ index }: Shard): string {
  return index === 0 ? "discord" : `discord:${index}`;
}

/** What a sentence about the shard begins with, if there are others. */
export function titleOf({ index, count }: Shard): string {
  return count > 1 ? `Shard ${index}/${count}: ` : "";
}
