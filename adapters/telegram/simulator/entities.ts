import { z } from "zod";
import { clean } from "./clean.ts";
import { checkLink } from "./links.ts";
import { badRequest } from "./refusal.ts";

/** The formatting of a range of text; offset and length are in UTF-16 units. */
export interface SimulatedEntity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
  readonly language?: string;
}

const Given = z.array(
  z.object({
    type: z.string(),
    offset: z.int(),
    length: z.int(),
    url: z.string().optional(),
    language: z.string().optional(),
  }),
);

/** The most entities of a message; Telegram silently drops the rest ("server-side limit", tdlib MessageEntity.cpp). */
const MAX_ENTITIES = 100;

/** The largest valid offset and length (tdlib, MessageEntity.cpp). */
const MAX_OFFSET = 1_000_000;

const STYLES = ["bold", "italic", "underline", "strikethrough", "spoiler"];
const QUOTES = ["blockquote", "expandable_blockquote"];
const CODES = ["pre", "code", "date_time"];
const LINKS = ["text_link", "text_mention"];

/** The order of entities with the same range (tdlib, MessageEntity::get_type_priority). */
const PRIORITIES = [
  QUOTES,
  ["pre"],
  ["code"],
  ["date_time"],
  LINKS,
  ...STYLES.map((style) => [style]),
  ["custom_emoji"],
];

/** The types that Telegram detects by itself. It ignores such entities from a bot. */
const DETECTED = [
  "mention",
  "hashtag",
  "cashtag",
  "bot_command",
  "url",
  "email",
  "phone_number",
  "bank_card_number",
];

/** Reads the entities of a request; throws a `Refusal` if they are invalid, as far as that is known without the text. */
export function readEntities(value: unknown): SimulatedEntity[] {
  const given = Given.safeParse(value ?? []);
  if (!given.success) throw badRequest("can't parse entities: expected an array of MessageEntity");
  const entities = given.data
    .filter(isSupported)
    .map(({ type, offset, length, url = "", language = "" }) => ({
      offset,
      length,
      ...(type === "text_link" ? readLink(url) : { type }),
      ...(type === "pre" && clean(language) && { language: clean(language) }),
    }));
  for (const { offset, length } of entities) {
    if (offset < 0 || offset > MAX_OFFSET)
      throw badRequest(`receive an entity with incorrect offset ${offset}`);
    if (length < 0 || length > MAX_OFFSET)
      throw badRequest(`receive an entity with incorrect length ${length}`);
  }
  return entities;
}

function isSupported({ type }: { type: string }): boolean {
  if (PRIORITIES.flat().includes(type)) return true;
  if (DETECTED.includes(type)) return false;
  throw badRequest("can't parse MessageEntity: Unsupported type specified");
}

function readLink(url: string): { type: string; url?: string } {
  const link = checkLink(clean(url));
  if ("refused" in link) throw badRequest(`entity URL '${clean(url)}' is invalid: ${link.refused}`);
  return "user" in link ? { type: "text_mention" } : { type: "text_link", url: link.url };
}

/**
 * Normalises entities as Telegram does. Code and links never overlap. A quote contains no other quote, and only styles
 * may surround it. A style is split where another entity begins or ends inside it, and never extends into code.
 */
export function fixEntities(entities: readonly SimulatedEntity[]): SimulatedEntity[] {
  const sorted = entities.filter(({ length }) => length > 0).toSorted(byPosition);
  const quotes = withoutOverlaps(sorted.filter(({ type }) => QUOTES.includes(type)));
  const solid = withoutOverlaps(
    sorted.filter((entity) => !isStyle(entity) && !QUOTES.includes(entity.type)),
  ).filter((entity) => quotes.every((quote) => contains(quote, entity) || !overlaps(quote, entity)));
  const fixed = [...solid, ...quotes];
  const code = solid.filter(({ type }) => CODES.includes(type));
  const styles = splitStyles(sorted.filter(isStyle), fixed.flatMap(edges)).filter(
    (style) => !code.some((each) => overlaps(style, each)),
  );
  return [...fixed, ...styles].toSorted(byPosition);
}

/** Keeps the first hundred entities. Styles come last, and are joined before they are counted. */
export function limitEntities(entities: readonly SimulatedEntity[]): SimulatedEntity[] {
  const styles = splitStyles(entities.filter(isStyle), []).toSorted(byPosition);
  const first = [...entities.filter((entity) => !isStyle(entity)), ...styles].slice(0, MAX_ENTITIES);
  return fixEntities(first);
}

const isStyle = ({ type }: SimulatedEntity) => STYLES.includes(type);
const endOf = ({ offset, length }: SimulatedEntity) => offset + length;
const edges = (entity: SimulatedEntity) => [entity.offset, endOf(entity)];
const overlaps = (a: SimulatedEntity, b: SimulatedEntity) => a.offset < endOf(b) && b.offset < endOf(a);
const contains = (a: SimulatedEntity, b: SimulatedEntity) => a.offset <= b.offset && endOf(b) <= endOf(a);

function byPosition(a: SimulatedEntity, b: SimulatedEntity): number {
  return a.offset - b.offset || b.length - a.length || priority(a) - priority(b);
}

/** Code with a language comes before code without one. */
function priority({ type, language }: SimulatedEntity): number {
  return PRIORITIES.findIndex((types) => types.includes(type)) - (language ? 0.5 : 0);
}

/** Removes entities that overlap an earlier one. */
function withoutOverlaps(sorted: readonly SimulatedEntity[]): SimulatedEntity[] {
  let end = 0;
  return sorted.filter((entity) => {
    if (entity.offset < end) return false;
    end = endOf(entity);
    return true;
  });
}

/** Joins adjacent ranges of a style, then splits them where another style begins and at the given edges. */
function splitStyles(sorted: readonly SimulatedEntity[], edges: readonly number[]): SimulatedEntity[] {
  const ranges = STYLES.flatMap((style) => joined(sorted.filter(({ type }) => type === style)));
  return ranges.flatMap((range) => split(range, [...ranges.map(({ offset }) => offset), ...edges]));
}

/** Joins adjacent and overlapping ranges of one style. */
function joined(sorted: readonly SimulatedEntity[]): SimulatedEntity[] {
  const ranges: SimulatedEntity[] = [];
  for (const entity of sorted) {
    const last = ranges.at(-1);
    if (!last || entity.offset > endOf(last)) ranges.push(entity);
    else ranges.splice(-1, 1, { ...last, length: Math.max(endOf(last), endOf(entity)) - last.offset });
  }
  return ranges;
}

function split(range: SimulatedEntity, cuts: readonly number[]): SimulatedEntity[] {
  const inside = cuts.filter((cut) => cut > range.offset && cut < endOf(range));
  const marks = [...new Set([range.offset, ...inside, endOf(range)])].toSorted((a, b) => a - b);
  return marks.slice(1).map((end, index) => {
    const offset = marks[index] ?? 0;
    return { ...range, offset, length: end - offset };
  });
}
