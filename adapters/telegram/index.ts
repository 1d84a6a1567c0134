export { createTelegram, type TelegramOptions } from "./adapter.ts";
export { createTelegramDialect, type TelegramBody } from "./dialect.ts";
