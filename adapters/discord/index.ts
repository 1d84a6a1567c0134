export { createDiscord, type DiscordOptions } from "./adapter.ts";
export { createDiscordDialect, type DiscordBody } from "./dialect.ts";
