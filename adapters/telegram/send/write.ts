import { PlatformError } from "../../../src/errors.ts";
import type { Call } from "../api.ts";
import { type ClassicBody, fitsClassic, type TelegramBody } from "../dialect/dialect.ts";
import { knowsNoRich, refusesRich, TelegramRefusal } from "../errors.ts";
import type { Log } from "../log.ts";
import { withoutActs } from "../dialect/mentions.ts";
import { telegramPayload } from "./payload.ts";
import { readRich } from "../dialect/rich-read.ts";

/** Writes a body in the best of its forms that the server takes; resolves with the server's answer. */
export type Write = (act: Act, body: TelegramBody, where: Where) => Promise<unknown>;

/** What is done with a body. */
export type Act = "send" | "edit" | "draft";

/** The fields of a call that say where something is written. */
export type Where = { readonly chat_id: number; readonly [field: string]: unknown };

/** By which methods, and how long the answer is waited for, in ms, if not as long as usual. */
const METHODS: Readonly<Record<Act, { classic: string; rich: string; timeoutMs?: number }>> = {
  send: { classic: "sendMessage", rich: "sendRichMessage" },
  edit: { classic: "editMessageText", rich: "editMessageText" },
  // The end of an answer waits for the draft that is on its way: a slow one must not hold it up.
  draft: { classic: "sendMessageDraft", rich: "sendRichMessageDraft", timeoutMs: 5000 },
};

/** Telegram does not accept the formatting, though it may accept the words. */
const FORMATTING = /entit(y|ies)|\burl\b|parse/i;

/** Writes bodies; formatting is entities or a rich message, never `parse_mode`. */
export function createWrite(callChat: Call, log: Log): Write {
  /** Until the server says that it knows no rich messages. */
  let isRichKnown = true;
  return write;

  /** The rich form if there is one; the other if the server does not take it. */
  async function write(act: Act, body: TelegramBody, place: Where): Promise<unknown> {
    const { buttons } = body;
    const where = { ...place, ...(buttons && { reply_markup: { inline_keyboard: buttons } }) };
    if (body.rich === undefined) return writeClassic(act, body, where);
    if (!isRichKnown) return writeClassic(act, withoutRich(body), where);
    const { rich: method, ...options } = METHODS[act];
    try {
      return await callChat(method, { ...where, ...telegramPayload(body) }, options);
    } catch (error) {
      if (!(error instanceof TelegramRefusal)) throw error;
      if (knowsNoRich(error)) {
        isRichKnown = false;
        log.warn(
          { code: error.code },
          "this Bot API server knows no rich messages: tables and formulas are text",
        );
        return writeClassic(act, withoutRich(body), where);
      }
      const classic = refusesRich(error) && classicOf(body);
      if (!classic) throw error;
      log.warn({ code: error.code }, `a message goes out without its rich form: ${error.message}`);
      return writeClassic(act, classic, where);
    }
  }

  /** Words without their formatting are better than no words. */
  async function writeClassic(act: Act, { text, entities }: ClassicBody, where: Where): Promise<unknown> {
    const { classic: method, ...options } = METHODS[act];
    const plain = { ...where, ...telegramPayload(unformatted(text)) };
    if (entities.length === 0) return callChat(method, plain, options);
    try {
      return await callChat(method, { ...where, ...telegramPayload({ text, entities }) }, options);
    } catch (error) {
      if (!(error instanceof TelegramRefusal) || error.status !== 400) throw error;
      if (!FORMATTING.test(error.description)) throw error;
      log.warn({ code: error.code }, `a message goes out without its formatting: ${error.message}`);
      return callChat(method, plain, options);
    }
  }
}

/** What was code is text now, in which Telegram looks for names; with what is put in there may be too much of it. */
function unformatted(text: string): ClassicBody {
  const plain = withoutActs({ text, entities: [] });
  return fitsClassic(plain)
    ? plain
    : { text: text.replaceAll("@", "＠").replaceAll("://", ":／／"), entities: [] };
}

/** What is rich only cannot be said to a server that knows nothing rich: the pages are too long for it. */
function withoutRich({ text, entities }: TelegramBody): ClassicBody {
  if (text) return { text, entities };
  throw new PlatformError(
    "telegram_rich",
    "This Bot API server (TELEGRAM_API_ROOT) knows no rich messages; set TELEGRAM_RICH to auto or classic, or run a server of Bot API 10.1 or later",
    { permanent: true },
  );
}

/** What is rich only as text, if that is not too long. */
function classicOf(body: TelegramBody): ClassicBody | undefined {
  const classic = body.text ? body : withoutActs(readRich(body.rich ?? ""));
  return classic.text && fitsClassic(classic) ? classic : undefined;
}
