import { createHash } from "node:crypto";
import type { Adapter } from "../../../src/adapter.ts";
import { PlatformError } from "../../../src/errors.ts";
import { isGroup, readAddress } from "./address.ts";
import type { TelegramBody } from "../dialect/dialect.ts";
import { TelegramRefusal } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Write } from "./write.ts";

type Draft = NonNullable<Adapter<TelegramBody>["draft"]>;

/** No draft can be shown in this chat, now or later. */
const NO_DRAFTS = /TEXTDRAFT_PEER_INVALID/;

/**
 * Shows drafts with a button to stop: https://core.telegram.org/bots/api#sendmessagedraft. A draft that is refused
 * is not shown, no more; only where there are no drafts at all the rejection is permanent: in groups, and
 * everywhere once the server has said so.
 */
export function createDraft(write: Write, log: Log): Draft {
  let areKnown = true;
  return async (to, key, body) => {
    const { chat, thread } = readAddress(to);
    if (!areKnown || isGroup(chat)) throw noDrafts();
    try {
      await write("draft", body, {
        chat_id: chat,
        ...(thread !== undefined && { message_thread_id: thread }),
        draft_id: idOf(key),
        can_stop: true,
        // Until what was said so far takes its place as a message.
        keep_on_stop: true,
      });
    } catch (error) {
      if (!(error instanceof TelegramRefusal)) throw error;
      if (error.status === 404 || NO_DRAFTS.test(error.description)) {
        areKnown = false;
        log.warn({ code: error.code }, `answers grow in messages, not in drafts: ${error.message}`);
        throw noDrafts();
      }
      throw error.permanent ? new PlatformError(error.code, error.message, { cause: error }) : error;
    }
  };
}

/** Never 0: that is no draft. Of the 64 bits that Telegram takes, as many as a number holds exactly. */
function idOf(key: string): number {
  return createHash("sha256").update(key).digest().readUIntBE(0, 6) || 1;
}

function noDrafts(): PlatformError {
  return new PlatformError("telegram_draft", "Telegram shows no drafts here", { permanent: true });
}
