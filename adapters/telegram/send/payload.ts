import type { TelegramBody } from "../dialect/dialect.ts";
import { isRightToLeft } from "../dialect/rich-read.ts";

/**
 * The fields of `sendMessage` or, for a rich message, of `sendRichMessage`, that say what is shown; for
 * `editMessageText` they are the same. Links are not unfolded, and nothing becomes a mention or a command.
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
