export { createTelegram, type TelegramOptions } from "./adapter.ts";
export { toAnsi } from "./ansi.ts";
export { createTelegramDialect, type TelegramBody } from "./dialect.ts";
export { telegramPayload } from "./payload.ts";
export type { RichMode } from "./rich.ts";
export { readable } from "./rich-read.ts";
