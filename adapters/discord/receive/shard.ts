/** A connection that carries a share of the bot's events: servers are spread by id, direct messages go to shard 0. */
export interface Shard {
  readonly index: number;
  /** The number of shards of the bot. */
  readonly count: number;
}

/** The bot's id, which is public: the first part of the token is its Base64. */
export function botIdOf(token: string): string {
  const [first = ""] = token.split(".");
  const id = Buffer.from(first, "base64").toString("latin1");
  return /^\d+$/.test(id) ? id : first;
}

/** All shards of a bot that has `count` of them. */
export function shardsOf(count: number): Shard[] {
  return Array.from({ length: count }, (_, index) => ({ index, count }));
}

/** The partition's name of a shard, such as "discord:1234:0/2". */
export function partitionOf(bot: string, { index, count }: Shard): string {
  return `discord:${bot}:${index}/${count}`;
}

/** The shard of a partition's name; throws if the name is not one of this bot's. */
export function shardOf(bot: string, partition: string): Shard {
  const [, index, count] = /:(\d+)\/(\d+)$/.exec(partition) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (!(shard.index < shard.count) || partitionOf(bot, shard) !== partition)
    throw new Error(`The Discord bot ${bot} has no partition "${partition}".`);
  return shard;
}

/**
 * The name of the stored value that holds a shard's session. It does not contain the number of shards, so that shard 0
 * still knows the direct channels after Discord raised that number.
 */
export function valueNameOf({ index }: Shard): string {
  return index === 0 ? "discord" : `discord:${index}`;
}

/** Prefix of log lines and health sentences about a shard; empty if it is the only one. */
export function prefixOf({ index, count }: Shard): string {
  return count > 1 ? `Shard ${index}/${count}: ` : "";
}
