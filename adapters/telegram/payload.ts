import type { TelegramBody } from "./dialect.ts";

/** The fields of `sendMessage` and `editMessageText` that say what is shown; links are not unfolded. */
export function telegramPayload({ text, entities }: TelegramBody) {
  return {
    text,
    ...(entities.length > 0 && { entities }),
    link_preview_options: { is_disabled: true },
  };
}
