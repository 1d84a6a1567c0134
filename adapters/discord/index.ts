export { createDiscord, type DiscordOptions } from "./adapter.ts";
export { createDiscordDialect, type DiscordBody } from "./dialect/dialect.ts";
export { discordPayload } from "./send/payload.ts";
