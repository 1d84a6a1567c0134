import { createHash } from "node:crypto";
import type { Adapter } from "../../../src/adapter.ts";
import { PlatformError } from "../../../src/errors.ts";
import { isGroup, readAddress } from "./address.ts";
import type { TelegramBody } from "../dialect/dialect.ts";
import { TelegramRefusal } from "../errors.ts";
import type { AdapterLog } from "../../../src/log.ts";
import type { Write } from "./write.ts";

type Draft = NonNullable<Adapter<TelegramBody>["draft"]>;

/** The refusal of a chat that never shows drafts. */
const NO_DRAFTS = /TEXTDRAFT_PEER_INVALID/;

/**
 * Creates the adapter's `draft`, which shows drafts with a button to stop the answer:
 * https://core.telegram.org/bots/api#sendmessagedraft. A refused draft is a passing rejection, as only that draft is
 * not shown. The rejection is permanent in groups, and in every chat once the server has turned out not to support
 * drafts.
 */
export function createDraft(write: Write, log: AdapterLog): Draft {
  let areSupported = true;
  return async (to, key, body) => {
    const { chat, thread } = readAddress(to);
    if (!areSupported || isGroup(chat)) throw noDrafts();
    try {
      await write("draft", body, {
        chat_id: chat,
        ...(thread !== undefined && { message_thread_id: thread }),
        draft_id: idOf(key),
        can_stop: true,
        // The draft stays visible until the text so far is sent as a message.
        keep_on_stop: true,
      });
    } catch (error) {
      if (!(error instanceof TelegramRefusal)) throw error;
      if (error.status === 404 || NO_DRAFTS.test(error.description)) {
        areSupported = false;
        log.warn(
          { code: error.code },
          `streaming answers by editing messages, not in drafts: ${error.message}`,
        );
        throw noDrafts();
      }
      throw error.permanent ? new PlatformError(error.code, error.message, { cause: error }) : error;
    }
  };
}

/** A draft id derived from the key. Never 0, which is invalid; 48 of Telegram's 64 bits, to be exact as a number. */
function idOf(key: string): number {
  return createHash("sha256").update(key).digest().readUIntBE(0, 6) || 1;
}

function noDrafts(): PlatformError {
  return new PlatformError("telegram_draft", "Telegram does not support drafts in this chat", {
    permanent: true,
  });
}
