export { createTelegram, type TelegramOptions } from "./adapter.ts";
export { toAnsi } from "./dialect/ansi.ts";
export { createTelegramDialect, type RichMode, type TelegramBody } from "./dialect/dialect.ts";
export { telegramPayload } from "./send/payload.ts";
export { readable } from "./dialect/rich-read.ts";
