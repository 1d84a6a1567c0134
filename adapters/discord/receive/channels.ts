/** The last accepted message of a direct channel. */
export interface ChannelMark {
  readonly channel: string;
  readonly message: string;
}

/** A channel as it is saved: its id, its last accepted message, and whether messages after that may be missing. */
export type ChannelEntry = [id: string, message: string, behind: boolean];

/** The most channels to remember, the latest ones; saved, they are about 50 kB. */
const MAX_CHANNELS = 1000;

interface Channel {
  message: string;
  behind: boolean;
}

/** Creates the record of a bot's direct channels. */
export function createChannels() {
  const channels = new Map<string, Channel>();
  return {
    replace(entries: readonly ChannelEntry[]): void {
      channels.clear();
      for (const [id, message, behind] of entries) channels.set(id, { message, behind });
    },
    entries: (): ChannelEntry[] => [...channels].map(([id, { message, behind }]) => [id, message, behind]),
    /** Records an accepted message. Past the limit it drops the channel that was silent longest. */
    accept({ channel: id, message }: ChannelMark): void {
      const known = channels.get(id);
      // Reinserting the channel keeps the map in order of the last message.
      channels.delete(id);
      channels.set(id, { message: later(known?.message, message), behind: known?.behind ?? false });
      const [oldest] = channels.keys();
      if (channels.size > MAX_CHANNELS && oldest) channels.delete(oldest);
    },
    markAllBehind(): void {
      for (const channel of channels.values()) channel.behind = true;
    },
    behind: (): ChannelMark[] =>
      [...channels]
        .filter(([, { behind }]) => behind)
        .map(([channel, { message }]) => ({ channel, message })),
    /** Returns false if the channel is unknown. */
    caughtUp({ channel: id, message }: ChannelMark): boolean {
      const channel = channels.get(id);
      if (!channel) return false;
      channel.message = later(channel.message, message);
      channel.behind = false;
      return true;
    },
    /** Returns false if the channel is unknown. */
    drop: (id: string): boolean => channels.delete(id),
  };
}

function later(a: string | undefined, b: string): string {
  return a !== undefined && BigInt(a) > BigInt(b) ? a : b;
}
