import { Routes } from "discord.js";
import type { DiscordAddress } from "../receive/events.ts";

/** Marks the reference of a message that answers an interaction but was posted to a channel. */
const CHANNEL_PREFIX = "channel:";

/** The reference of a message that was posted to a channel; `channel` is absent if it is the interaction's own. */
export function channelReference(id: string, channel?: string): string {
  return CHANNEL_PREFIX + (channel === undefined ? id : `${channel}/${id}`);
}

/** The id in a reference of any form; undefined if it has none. */
export function messageIdIn(ref: string): string | undefined {
  return /(?:^|[:/])(\d{1,20})$/.exec(ref)?.[1];
}

/** The route of a message; undefined if the token of its interaction has expired. */
export function locate(to: DiscordAddress, ref: string): { route: `/${string}`; auth: boolean } | undefined {
  if (!("interaction" in to)) return { route: Routes.channelMessage(to.channel, ref), auth: true };
  if (ref.startsWith(CHANNEL_PREFIX)) {
    const [id = "", channel = to.channel] = ref.slice(CHANNEL_PREFIX.length).split("/").toReversed();
    return { route: Routes.channelMessage(channel, id), auth: true };
  }
  if (Date.now() >= to.expires) return undefined;
  return { route: Routes.webhookMessage(to.application, to.interaction, ref), auth: false };
}
