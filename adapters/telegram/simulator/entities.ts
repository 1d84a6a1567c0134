import { z } from "zod";
import { clean } from "./clean.ts";
import { checkLink } from "./links.ts";
import { badRequest } from "./refusal.ts";

/** A piece of formatting; offset and length in UTF-16 units. */
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

/** A message keeps so many, the rest vanishes without a word ("server-side limit", tdlib MessageEntity.cpp). */
const MAX_ENTITIES = 100;

/** The greatest offset and length that are looked at (tdlib, MessageEntity.cpp). */
const FARTHEST = 1_000_000;

const STYLES = ["bold", "italic", "underline", "strikethrough", "spoiler"];
const QUOTES = ["blockquote", "expandable_blockquote"];
const CODES = ["pre", "code", "date_time"];
/** The order of those that are at the same place (tdlib, MessageEntity::get_type_priority). */
const LINKS = ["text_link", "text_mention"];
const RANKS = [
  QUOTES,
  ["pre"],
  ["code"],
  ["date_time"],
  LINKS,
  ...STYLES.map((style) => [style]),
  ["custom_emoji"],
];

/** Telegram finds these by itself and leaves out what a bot says about them. */
const FOUND = [
  "mention",
  "hashtag",
  "cashtag",
  "bot_command",
  "url",
  "email",
  "phone_number",
  "bank_card_number",
];

/** The entities of a request, as far as they can be checked without the text. */
export function readEntities(value: unknown): SimulatedEntity[] {
  const given = Given.safeParse(value ?? []);
  if (!given.success) throw badRequest("can't parse entities: expected an array of MessageEntity");
  const entities = given.data.filter(isKept).map(({ type, offset, length, url = "", language = "" }) => ({
    offset,
    length,
    ...(type === "text_link" ? readLink(url) : { type }),
    ...(type === "pre" && clean(language) && { language: clean(language) }),
  }));
  for (const { offset, length } of entities) {
    if (offset < 0 || offset > FARTHEST)
      throw badRequest(`receive an entity with incorrect offset ${offset}`);
    if (length < 0 || length > FARTHEST)
      throw badRequest(`receive an entity with incorrect length ${length}`);
  }
  return entities;
}

function isKept({ type }: { type: string }): boolean {
  if (RANKS.flat().includes(type)) return true;
  if (FOUND.includes(type)) return false;
  throw badRequest("can't parse MessageEntity: Unsupported type specified");
}

function readLink(url: string): { type: string; url?: string } {
  const link = checkLink(clean(url));
  if ("refused" in link) throw badRequest(`entity URL '${clean(url)}' is invalid: ${link.refused}`);
  return "user" in link ? { type: "text_mention" } : { type: "text_link", url: link.url };
}

/**
 * Formatting as Telegram keeps it: code, links and the like never overlap, a quote holds no quote and is in
 * nothing but styles, a style is split where something else begins or ends within it and never reaches into code.
 */
export function fixEntities(entities: readonly SimulatedEntity[]): SimulatedEntity[] {
  const sorted = entities.filter(({ length }) => length > 0).toSorted(byPlace);
  const quotes = apart(sorted.filter(({ type }) => QUOTES.includes(type)));
  const solid = apart(sorted.filter((entity) => !isStyle(entity) && !QUOTES.includes(entity.type))).filter(
    (entity) => quotes.every((quote) => holds(quote, entity) || !overlaps(quote, entity)),
  );
  const fixed = [...solid, ...quotes];
  const code = solid.filter(({ type }) => CODES.includes(type));
  const styles = splitStyles(sorted.filter(isStyle), fixed.flatMap(edges)).filter(
    (piece) => !code.some((each) => overlaps(piece, each)),
  );
  return [...fixed, ...styles].toSorted(byPlace);
}

/** The first hundred of those that are fixed; what can be split comes last, and is put together before it is counted. */
export function keepMost(entities: readonly SimulatedEntity[]): SimulatedEntity[] {
  const styles = splitStyles(entities.filter(isStyle), []).toSorted(byPlace);
  const kept = [...entities.filter((entity) => !isStyle(entity)), ...styles].slice(0, MAX_ENTITIES);
  return fixEntities(kept);
}

const isStyle = ({ type }: SimulatedEntity) => STYLES.includes(type);
const endOf = ({ offset, length }: SimulatedEntity) => offset + length;
const edges = (entity: SimulatedEntity) => [entity.offset, endOf(entity)];
const overlaps = (a: SimulatedEntity, b: SimulatedEntity) => a.offset < endOf(b) && b.offset < endOf(a);
const holds = (a: SimulatedEntity, b: SimulatedEntity) => a.offset <= b.offset && endOf(b) <= endOf(a);

function byPlace(a: SimulatedEntity, b: SimulatedEntity): number {
  return a.offset - b.offset || b.length - a.length || rank(a) - rank(b);
}

/** Code with a language goes before code without one. */
function rank({ type, language }: SimulatedEntity): number {
  return RANKS.findIndex((types) => types.includes(type)) - (language ? 0.5 : 0);
}

/** Only those that do not overlap one before. */
function apart(sorted: readonly SimulatedEntity[]): SimulatedEntity[] {
  let end = 0;
  return sorted.filter((entity) => {
    if (entity.offset < end) return false;
    end = endOf(entity);
    return true;
  });
}

/** Ranges of one style that touch are one; it is cut where another style begins, and at the edges of all else. */
function splitStyles(sorted: readonly SimulatedEntity[], edges: readonly number[]): SimulatedEntity[] {
  const ranges = STYLES.flatMap((style) => joined(sorted.filter(({ type }) => type === style)));
  return ranges.flatMap((range) => split(range, [...ranges.map(({ offset }) => offset), ...edges]));
}

/** Ranges of the same style that touch become one. */
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
