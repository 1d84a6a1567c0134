import type { Formatted, MessageEntity } from "./entities.ts";

/** WORD JOINER is invisible, allows no line break, and keeps Telegram from reading the next characters as a name. */
const JOINER = "\u2060";

/**
 * Text that Telegram would turn into an action: `@name` notifies a user, and `tg:` and `ton:` act in the app, either
 * with `//` or as in `tg:name@host.example`. A name has at least three characters, and none begins after a letter, as
 * in an e-mail address. Web addresses are matched first, as far as they certainly reach, so that an @ in a path is left
 * alone.
 */
const ACTS =
  /(?<![^\s(])https?:\/\/(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d{1,4})?[/?#][\w\-./~%@+&=?#]*|(?<![\p{L}\p{Nd}_])@(?=[a-z0-9_]{3})|(?:tg|ton|tonsite):(?=\/\/|[^\s/?#]{0,99}@)/giu;

/** Entities in which Telegram detects nothing: given entities take precedence (TDLib's merge_entities). */
const CLOSED: ReadonlySet<MessageEntity["type"]> = new Set(["code", "pre", "text_link"]);

/**
 * Breaks up mentions and Telegram's own links with joiners, so that a text notifies no one: users can influence what
 * the model writes. Code is left alone. So is everything else that Telegram detects, as it does nothing until a user
 * taps it, and then only searches or issues a command in that user's name: commands in an answer are meant to be tapped.
 */
export function withoutActs({ text, entities }: Formatted): Formatted {
  if (!/[@:]/.test(text)) return { text, entities };
  const closed = entities.filter(({ type }) => CLOSED.has(type));
  const positions = [...text.matchAll(ACTS)]
    .filter(({ 0: found, index }) => !/^http/i.test(found) && !closed.some((entity) => holds(entity, index)))
    .map(({ 0: found, index }) => index + found.length);
  if (positions.length === 0) return { text, entities };
  const moved = (offset: number) => offset + positions.filter((position) => position <= offset).length;
  return {
    text: positions.reduceRight((rest, at) => rest.slice(0, at) + JOINER + rest.slice(at), text),
    entities: entities.map((entity) => {
      const offset = moved(entity.offset);
      // A joiner at the end of an entity is not part of it.
      return { ...entity, offset, length: moved(entity.offset + entity.length - 1) + 1 - offset };
    }),
  };
}

function holds({ offset, length }: MessageEntity, at: number): boolean {
  return at >= offset && at < offset + length;
}
