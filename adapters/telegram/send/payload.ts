import type { TelegramBody } from "../dialect/dialect.ts";
import { isRightToLeft } from "../dialect/direction.ts";

/**
 * The content fields of `sendMessage` or, for a rich message, of `sendRichMessage`; `editMessageText` has the same.
 * Link previews are off. In a rich message Telegram detects no mentions or commands.
 */
export function telegramPayload({ text, entities, rich }: TelegramBody) {
  if (rich !== undefined) {
    const direction = isRightToLeft(rich) && { is_rtl: true };
    return { rich_message: { html: rich, skip_entity_detection: true, ...direction } };
  }
  return {
    text,
    ...(entities.length > 0 && { entities }),
    link_preview_options: { is_disabled: true },
  };
}
