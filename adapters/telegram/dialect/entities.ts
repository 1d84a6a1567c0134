/** Formatting of a part of the text, counted in UTF-16 units. */
export interface MessageEntity {
  readonly type:
    | "bold"
    | "italic"
    | "strikethrough"
    | "spoiler"
    | "code"
    | "pre"
    | "text_link"
    | "blockquote"
    | "expandable_blockquote";
  readonly offset: number;
  readonly length: number;
  /** Of a `text_link`. */
  readonly url?: string;
  /** Of a `pre`. */
  readonly language?: string;
}

/** A text with its formatting. */
export interface Formatted {
  readonly text: string;
  readonly entities: readonly MessageEntity[];
}

/**
 * The server trims the text at both ends, at the beginning only up to an entity: the first line of code
 * keeps its indentation. Entities that reach beyond the end of the text would be refused.
 */
export function trimmed({ text, entities }: Formatted): Formatted {
  const first = entities.some(({ type, offset }) => type === "pre" && offset === 0);
  const start = first ? 0 : text.length - text.trimStart().length;
  const end = Math.max(start, text.trimEnd().length);
  return {
    text: text.slice(start, end),
    entities: entities.map((entity) => clipped(entity, start, end)).filter(({ length }) => length > 0),
  };
}

function clipped(entity: MessageEntity, start: number, end: number): MessageEntity {
  if (start === 0 && entity.offset + entity.length <= end) return entity;
  const from = Math.max(entity.offset, start);
  return { ...entity, offset: from - start, length: Math.min(entity.offset + entity.length, end) - from };
}

/** Styles may be within each other and within links: the server splits them where others begin and end. */
const SPLIT: readonly MessageEntity["type"][] = ["bold", "italic", "strikethrough", "spoiler"];

/** How many entities the server has at most once it has split those that contain others: these it counts. */
export function countEntities(entities: readonly MessageEntity[]): number {
  const edges = [...new Set(entities.flatMap(({ offset, length }) => [offset, offset + length]))];
  return entities.reduce((count, { type, offset, length }) => {
    const within = edges.filter((edge) => edge > offset && edge < offset + length);
    return count + 1 + (SPLIT.includes(type) ? within.length : 0);
  }, 0);
}
