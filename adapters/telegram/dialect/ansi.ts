import { styleText } from "node:util";
import type { TelegramBody } from "./dialect.ts";
import type { MessageEntity } from "./entities.ts";
import { readable } from "./rich-read.ts";

type Format = Parameters<typeof styleText>[0];

const FORMATS: Readonly<Record<MessageEntity["type"], Format>> = {
  bold: "bold",
  italic: "italic",
  strikethrough: "strikethrough",
  spoiler: "inverse",
  code: "cyan",
  pre: "cyan",
  text_link: "underline",
  blockquote: "dim",
  expandable_blockquote: "dim",
};

/** Renders a message for a terminal, to preview it without Telegram. A rich form is preferred to the classic one. */
export function toAnsi(body: TelegramBody): string {
  const { text, entities } = readable(body);
  const edges = new Set([
    0,
    text.length,
    ...entities.flatMap(({ offset, length }) => [offset, offset + length]),
  ]);
  const offsets = [...edges].toSorted((a, b) => a - b);
  return offsets
    .map((from, index) => {
      const to = offsets[index + 1] ?? from;
      const inside = entities.filter(({ offset, length }) => offset <= from && to <= offset + length);
      return inside.reduce((shown, { type }) => styled(FORMATS[type], shown), text.slice(from, to));
    })
    .join("");
}

function styled(format: Format, text: string): string {
  return text.replace(/[^\n]+/g, (line) => styleText(format, line, { validateStream: false }));
}
