export { createDiscord, type DiscordOptions } from "./adapter.ts";
export { createDiscordDialect, type DiscordBody } from "./dialect.ts";
export { discordPayload } from "./payload.ts";
