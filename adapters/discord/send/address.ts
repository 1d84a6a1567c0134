import { PlatformError } from "../../../src/errors.ts";
import type { Address } from "../../../src/event.ts";
import type { DiscordAddress, InteractionAddress } from "../receive/events.ts";

/** Reads an address as an event carries it; throws a permanent `PlatformError` for any other. */
export function readAddress(to: Address): DiscordAddress {
  const { channel, application, interaction, expires, fileBytes, id, user, question } = to;
  if (typeof channel !== "string")
    throw new PlatformError(
      "discord_address",
      "This is not an address of Discord's adapter: it has no channel.",
      {
        permanent: true,
      },
    );
  if (typeof application !== "string" || typeof interaction !== "string" || typeof expires !== "number")
    return { channel, ...(typeof question === "string" && { question }) };
  return {
    channel,
    application,
    interaction,
    expires,
    ...(typeof id === "string" && { id }),
    ...(typeof user === "string" && { user }),
    ...(to["userInstallOnly"] === true && { userInstallOnly: true }),
    ...(typeof fileBytes === "number" && { fileBytes }),
  };
}

/** Whether only the user installed the bot, which then can write by the interaction alone. */
export function isUserInstallOnly(to: DiscordAddress): to is InteractionAddress {
  return "interaction" in to && to.userInstallOnly === true;
}
