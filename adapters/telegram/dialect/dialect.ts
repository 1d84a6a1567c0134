import type { Buttons, Dialect } from "../../../src/text/dialect/dialect.ts";
import { type Button, buttonsFor, fitsButton } from "./buttons.ts";
import { type ClassicBody, fitsClassic, MAX_LENGTH, printClassic } from "./classic.ts";
import { printRich } from "./rich.ts";
import { fitsRich, MAX_RICH_LENGTH, needsRich } from "./rich-limits.ts";

/**
 * The form of messages: text with entities, rich messages, or (`auto`) both where entities cannot express the content.
 */
export type RichMode = "auto" | "classic" | "rich";

/** A message in all of its forms. */
export interface TelegramBody extends ClassicBody {
  /** The HTML of a rich message, if that expresses more. Servers before Bot API 10.1 do not support it. */
  readonly rich?: string;
  /** The buttons below the message, row by row. */
  readonly buttons?: readonly (readonly Button[])[];
}

/**
 * Creates Telegram's dialect. It prints text with entities, rich messages, or (`auto`) text with entities plus the rich
 * form where that expresses more. In `auto` both forms must fit, so that the pages do not depend on the server.
 */
export function createTelegramDialect(options: { readonly rich?: RichMode } = {}): Dialect<TelegramBody> {
  const { rich = "auto" } = options;
  if (rich === "rich") return RICH;
  return {
    limits: { length: MAX_LENGTH, unit: "utf16" },
    print: (blocks) => ({
      ...printClassic(blocks),
      ...(rich === "auto" && needsRich(blocks) && { rich: printRich(blocks) }),
    }),
    fits: (body) => fitsClassic(body) && (body.rich === undefined || fitsRich(body.rich)),
    buttons: BUTTONS,
  };
}

const BUTTONS: Buttons<TelegramBody> = {
  fits: fitsButton,
  add: (body, choices) => ({ ...body, buttons: buttonsFor(choices) }),
};

const RICH: Dialect<TelegramBody> = {
  limits: { length: MAX_RICH_LENGTH, unit: "utf16" },
  print: (blocks) => ({ text: "", entities: [], rich: printRich(blocks) }),
  fits: ({ rich = "" }) => fitsRich(rich),
  buttons: BUTTONS,
};
