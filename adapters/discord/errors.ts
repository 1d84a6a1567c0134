import { DiscordAPIError, HTTPError, RateLimitError } from "discord.js";
import { textsIn, withoutEcho } from "../../src/sanitize/echo.ts";
import { ConfigError, describeError, PlatformError, type PlatformErrorDetails } from "../../src/errors.ts";

/** Codes of a `PlatformError` for the JSON error codes that the adapter acts on. */
export const codes = {
  unknownChannel: "discord_10003",
  unknownMessage: "discord_10008",
  unknownWebhook: "discord_10015",
  unknownInteraction: "discord_10062",
  acknowledged: "discord_40060",
  tooManyFollowups: "discord_40094",
  missingAccess: "discord_50001",
  cannotMessageUser: "discord_50007",
  missingPermissions: "discord_50013",
  invalidWebhookToken: "discord_50027",
  unauthorized: "discord_token",
} as const;

/** What the operator should do about a refusal, by code. */
const hints: Readonly<Record<string, string>> = {
  [codes.cannotMessageUser]: "The user has blocked the bot or does not accept direct messages.",
  [codes.missingAccess]: "The bot is not in that server or channel: add it there.",
  [codes.missingPermissions]: "Give the bot the permission to send messages in that channel.",
  [codes.unknownChannel]: "The channel was deleted.",
};

/** The message or its webhook no longer exists: post a new message. */
const gone: readonly string[] = [codes.unknownMessage, codes.unknownWebhook, codes.invalidWebhookToken];

/** Wait after a 429 that names no time, in ms. */
const DEFAULT_WAIT_MS = 1000;
/** Wait after a refused token, in ms: Discord bans an IP address after 10 000 refusals in 10 minutes. */
const TOKEN_WAIT_MS = 60_000;

/**
 * Converts any error of a request into a `PlatformError`. The library's error is not kept as the cause: it contains the
 * URL, with an interaction's token in it, and the text of the message.
 */
export function toPlatformError(error: unknown, action: string): PlatformError {
  if (error instanceof PlatformError) return error;
  if (error instanceof RateLimitError) return rateLimited(error, action);
  if (error instanceof DiscordAPIError) return refused(error, action);
  if (error instanceof HTTPError)
    return new PlatformError(
      "discord_server_error",
      `Discord failed to ${action} (status ${error.status}); try again later.`,
    );
  const reason =
    error instanceof Error && error.name === "AbortError" ? "no answer in time" : describeError(error);
  return new PlatformError("discord_unreachable", `Discord could not be reached to ${action}: ${reason}.`);
}

function rateLimited(error: RateLimitError, action: string): PlatformError {
  const waits = [error.retryAfter, error.sublimitTimeout, error.timeToReset];
  const retryAfterMs = Math.ceil(waits.find((ms) => Number.isFinite(ms) && ms > 0) ?? DEFAULT_WAIT_MS);
  const message = `Discord's rate limit is reached: the bot cannot ${action} for another ${retryAfterMs} ms.`;
  return new PlatformError("discord_rate_limited", message, { retryAfterMs });
}

function refused({ status, code, message, requestBody }: DiscordAPIError, action: string): PlatformError {
  if (status === 401 && !code)
    return new PlatformError(
      codes.unauthorized,
      `Discord refused the bot's token and did not ${action}. Set DISCORD_BOT_TOKEN to the current token from the ` +
        "Developer Portal, and restart.",
      { retryAfterMs: TOKEN_WAIT_MS },
    );
  const name = `discord_${code ?? status}`;
  const details: PlatformErrorDetails = gone.includes(name) ? { gone: true } : { permanent: isFinal(status) };
  const hint = hints[name] ?? "The same request will be refused again.";
  return new PlatformError(
    name,
    `Discord refused to ${action} (${code ?? status}: ${withoutEcho(message, textsIn(requestBody.json))}). ${hint}`,
    details,
  );
}

/** Whether the same request would be refused again; a proxy may send 408 and 425, which are temporary. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 425;
}

/** Discord does not know the token: nothing works until the operator sets another one. */
export function refusedToken(): ConfigError {
  return new ConfigError(
    "discord_token",
    "Discord refused the bot's token. Set DISCORD_BOT_TOKEN to the token from the Developer Portal " +
      "(your application, Bot, Reset Token).",
  );
}
