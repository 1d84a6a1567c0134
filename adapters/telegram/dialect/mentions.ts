import type { Formatted, MessageEntity } from "./entities.ts";

/** WORD JOINER: it is not seen, no line breaks at it, and Telegram takes what stands behind it for no name. */
const JOINER = "\u2060";

/**
 * What Telegram would make more of than text, wherever it finds it: `@name` notifies a person, and `tg:` and `ton:` do
 * something in the app, with `//` or as in `tg:name@host.example`. (Names have three characters at least; behind a letter, as in an e-mail address, there is none.)
 * A web address before them is one match with all that belongs to it for sure: an @ in its path must stay what it is.
 */
const ACTS =
  /(?<![^\s(])https?:\/\/(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d{1,4})?[/?#][\w\-./~%@+&=?#]*|(?<![\p{L}\p{Nd}_])@(?=[a-z0-9_]{3})|(?:tg|ton|tonsite):(?=\/\/|[^\s/?#]{0,99}@)/giu;

/** In these Telegram looks for nothing: its own finds give way to what a message says (TDLib's merge_entities). */
const CLOSED: ReadonlySet<MessageEntity["type"]> = new Set(["code", "pre", "text_link"]);

/**
 * A text in which Telegram finds nobody to notify, and no link of its own: the model's words are user-influenced. Code
 * stays as it is. What else Telegram finds does nothing before a person taps on it, and then no more than search, or
 * say a command in that person's name: these stay, as commands in an answer are meant to be tapped.
 */
export function withoutActs({ text, entities }: Formatted): Formatted {
  if (!/[@:]/.test(text)) return { text, entities };
  const closed = entities.filter(({ type }) => CLOSED.has(type));
  const places = [...text.matchAll(ACTS)]
    .filter(({ 0: found, index }) => !/^http/i.test(found) && !closed.some((entity) => holds(entity, index)))
    .map(({ 0: found, index }) => index + found.length);
  if (places.length === 0) return { text, entities };
  const moved = (offset: number) => offset + places.filter((place) => place <= offset).length;
  return {
    text: places.reduceRight((rest, place) => rest.slice(0, place) + JOINER + rest.slice(place), text),
    entities: entities.map((entity) => {
      const offset = moved(entity.offset);
      // The joiner that stands at the end of an entity is not in it.
      return { ...entity, offset, length: moved(entity.offset + entity.length - 1) + 1 - offset };
    }),
  };
}

function holds({ offset, length }: MessageEntity, at: number): boolean {
  return at >= offset && at < offset + length;
}
