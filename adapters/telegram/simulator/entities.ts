import { z } from "zod";
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
const MOST_ENTITIES = 100;

/** The greatest offset and length that are looked at (tdlib, MessageEntity.cpp). */
const FARTHEST = 1_000_000;

const STYLES = ["bold", "italic", "underline", "strikethrough", "spoiler"];
const QUOTES = ["blockquote", "expandable_blockquote"];
const CODES = ["code", "pre"];
const OTHERS = ["text_link", "text_mention", "custom_emoji", "date_time"];

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
  return given.data.filter(isKept).map(({ type, offset, length, url, language }) => {
    if (offset < 0 || offset > FARTHEST) throw badRequest(`entity has invalid offset ${offset} specified`);
    if (length < 0 || length > FARTHEST) throw badRequest(`entity has invalid length ${length} specified`);
    if (type === "text_link") checkUrl(url ?? "");
    return {
      type,
      offset,
      length,
      ...(type === "text_link" && { url: url ?? "" }),
      ...(type === "pre" && language && { language }),
    };
  });
}

function isKept({ type }: { type: string }): boolean {
  if ([STYLES, QUOTES, CODES, OTHERS].some((types) => types.includes(type))) return true;
  if (FOUND.includes(type)) return false;
  throw badRequest("can't parse MessageEntity: Unsupported type specified");
}

/** As tdlib's LinkManager: http, https or nothing before a host with a dot in it, or a tg: or ton: link. */
function checkUrl(url: string): void {
  if (/^(tg|ton|tonsite):(\/\/)?[^\s/]/i.test(url)) return;
  const parts =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:[^/?#@]*@)?(\[[0-9a-f:]+\]|[^/?#:[\]]*)(?::([^/?#]*))?(?:[/?#].*)?$/is;
  const [, protocol = "http", host = "", port] = parts.exec(url) ?? [];
  const refuse = (why: string) => badRequest(`URL '${url}' is invalid: ${why}`);
  if (!/^https?$/i.test(protocol)) throw refuse("Unsupported protocol");
  if (port !== undefined && !/^\d{1,5}$/.test(port)) throw refuse("Wrong port number in the URL");
  if (!host) throw refuse("URL host is empty");
  if (/[\s"<>\\^`{|}%]/.test(host)) throw refuse("Disallowed character in URL host");
  if (!host.includes(".") && !host.startsWith("[")) throw refuse("Wrong HTTP URL");
}

/**
 * Formatting as Telegram keeps it: code, links and the like never overlap, a quote holds no quote, a style is
 * split where something else begins within it and never reaches into code; then the first hundred, styles last.
 */
export function fixEntities(entities: readonly SimulatedEntity[]): SimulatedEntity[] {
  const sorted = entities.filter(({ length }) => length > 0).toSorted(byPlace);
  const quotes = apart(sorted.filter(({ type }) => QUOTES.includes(type)));
  const solid = apart(sorted.filter(({ type }) => CODES.includes(type) || OTHERS.includes(type))).filter(
    (entity) => !quotes.some((quote) => crosses(entity, quote)),
  );
  const fixed = [...solid, ...quotes];
  const ranges = STYLES.flatMap((style) => joined(sorted.filter(({ type }) => type === style)));
  const code = solid.filter(({ type }) => CODES.includes(type));
  const styles = ranges
    .flatMap((range) => split(range, [...ranges.map(({ offset }) => offset), ...fixed.flatMap(edges)]))
    .filter((piece) => !code.some((each) => overlaps(piece, each)));
  return [...fixed.toSorted(byPlace), ...styles.toSorted(byPlace)].slice(0, MOST_ENTITIES).toSorted(byPlace);
}

const endOf = ({ offset, length }: SimulatedEntity) => offset + length;
const edges = (entity: SimulatedEntity) => [entity.offset, endOf(entity)];
const byPlace = (a: SimulatedEntity, b: SimulatedEntity) => a.offset - b.offset || b.length - a.length;
const overlaps = (a: SimulatedEntity, b: SimulatedEntity) => a.offset < endOf(b) && b.offset < endOf(a);
const holds = (a: SimulatedEntity, b: SimulatedEntity) => a.offset <= b.offset && endOf(b) <= endOf(a);
const crosses = (a: SimulatedEntity, b: SimulatedEntity) => overlaps(a, b) && !holds(a, b) && !holds(b, a);

/** Only those that do not overlap one before. */
function apart(sorted: readonly SimulatedEntity[]): SimulatedEntity[] {
  const kept: SimulatedEntity[] = [];
  for (const entity of sorted) if (!kept.some((each) => overlaps(each, entity))) kept.push(entity);
  return kept;
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
