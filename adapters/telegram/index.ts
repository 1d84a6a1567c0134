export { createTelegram, type TelegramOptions } from "./adapter.ts";
export { toAnsi } from "./dialect/ansi.ts";
export { createTelegramDialect, type TelegramBody } from "./dialect/dialect.ts";
export { telegramPayload } from "./send/payload.ts";
export type { RichMode } from "./dialect/rich.ts";
export { readable } from "./dialect/rich-read.ts";
