import { PlatformError } from "../../../src/errors.ts";
import type { Call } from "../api.ts";
import { type ClassicBody, fitsClassic } from "../dialect/classic.ts";
import type { TelegramBody } from "../dialect/dialect.ts";
import { lacksRich, refusesRich, TelegramRefusal } from "../errors.ts";
import type { AdapterLog } from "../../../src/log.ts";
import { withoutActs } from "../dialect/mentions.ts";
import { telegramPayload } from "./payload.ts";
import { readRich } from "../dialect/rich-read.ts";

/** Writes a body in the best form that the server accepts; resolves with the server's answer. */
export type Write = (action: Action, body: TelegramBody, target: WriteTarget) => Promise<unknown>;

/** What to do with a body. */
export type Action = "send" | "edit" | "draft";

/** The fields of a call that address the chat, the topic or the message. */
export type WriteTarget = { readonly chat_id: number; readonly [field: string]: unknown };

/** The methods of each action, and the timeout in ms if it is not the default. */
const METHODS: Readonly<Record<Action, { classic: string; rich: string; timeoutMs?: number }>> = {
  send: { classic: "sendMessage", rich: "sendRichMessage" },
  edit: { classic: "editMessageText", rich: "editMessageText" },
  // The end of an answer waits for a draft that is in flight, so a slow draft must not delay it.
  draft: { classic: "sendMessageDraft", rich: "sendRichMessageDraft", timeoutMs: 5000 },
};

/** Refusals of the formatting: Telegram may still accept the plain text. */
const FORMATTING = /entit(y|ies)|\burl\b|parse/i;

/** Creates the `Write` of a bot. Formatting is sent as entities or as a rich message, never as `parse_mode`. */
export function createWrite(callChat: Call, log: AdapterLog): Write {
  /** True until the server turns out to lack rich messages. */
  let isRichSupported = true;
  return write;

  /** Writes the rich form if there is one, or the classic form if the server refuses the rich one. */
  async function write(action: Action, body: TelegramBody, chat: WriteTarget): Promise<unknown> {
    const { buttons } = body;
    const target = { ...chat, ...(buttons && { reply_markup: { inline_keyboard: buttons } }) };
    if (body.rich === undefined) return writeClassic(action, body, target);
    if (!isRichSupported) return writeClassic(action, withoutRich(body), target);
    const { rich: method, ...options } = METHODS[action];
    try {
      return await callChat(method, { ...target, ...telegramPayload(body) }, options);
    } catch (error) {
      if (!(error instanceof TelegramRefusal)) throw error;
      if (lacksRich(error)) {
        isRichSupported = false;
        log.warn(
          { code: error.code },
          "this Bot API server does not support rich messages: sending tables and formulas as text",
        );
        return writeClassic(action, withoutRich(body), target);
      }
      const classic = refusesRich(error) && classicOf(body);
      if (!classic) throw error;
      log.warn({ code: error.code }, `sending a message without its rich form: ${error.message}`);
      return writeClassic(action, classic, target);
    }
  }

  /** Writes text with entities, or without them if Telegram refuses those: plain text is better than no message. */
  async function writeClassic(action: Action, body: ClassicBody, target: WriteTarget): Promise<unknown> {
    const { text, entities } = body;
    const { classic: method, ...options } = METHODS[action];
    const plain = { ...target, ...telegramPayload(unformatted(text)) };
    if (entities.length === 0) return callChat(method, plain, options);
    try {
      return await callChat(method, { ...target, ...telegramPayload({ text, entities }) }, options);
    } catch (error) {
      if (!(error instanceof TelegramRefusal) || error.status !== 400) throw error;
      if (!FORMATTING.test(error.description)) throw error;
      log.warn({ code: error.code }, `sending a message without its formatting: ${error.message}`);
      return callChat(method, plain, options);
    }
  }
}

/**
 * Plain text that notifies no one. Without entities Telegram looks for mentions and links in former code too, so those
 * are broken up with joiners, or with full-width characters if the joiners would make the text too long.
 */
function unformatted(text: string): ClassicBody {
  const plain = withoutActs({ text, entities: [] });
  return fitsClassic(plain)
    ? plain
    : { text: text.replaceAll("@", "＠").replaceAll("://", ":／／"), entities: [] };
}

/**
 * The classic form of a body. Throws a permanent `PlatformError` if it has none: pages made for rich messages are too
 * long for a server without them.
 */
function withoutRich({ text, entities }: TelegramBody): ClassicBody {
  if (text) return { text, entities };
  throw new PlatformError(
    "telegram_rich",
    "this Bot API server (TELEGRAM_API_ROOT) does not support rich messages; set TELEGRAM_RICH to auto or classic, or run a server of Bot API 10.1 or later",
    { permanent: true },
  );
}

/** The classic form of a body, read from the rich form if there is no other; undefined if that is too long. */
function classicOf(body: TelegramBody): ClassicBody | undefined {
  const classic = body.text ? body : withoutActs(readRich(body.rich ?? ""));
  return classic.text && fitsClassic(classic) ? classic : undefined;
}
