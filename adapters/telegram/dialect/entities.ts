/** The formatting of a range of text; offset and length are in UTF-16 units. */
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
  /** The address of a `text_link`. */
  readonly url?: string;
  /** The programming language of a `pre`. */
  readonly language?: string;
}

/** An entity that is still being built. */
export type MutableEntity = { -readonly [field in keyof MessageEntity]: MessageEntity[field] };

/** A text with its formatting. */
export interface Formatted {
  readonly text: string;
  readonly entities: readonly MessageEntity[];
}

/**
 * Trims a text and clips its entities, as the server trims both ends and then refuses entities that reach beyond the
 * end. At the beginning the server trims only up to the first entity, so the first line of code keeps its indentation.
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

/** Styles can be nested in one another and in links. The server splits them where another entity begins or ends. */
const SPLIT: readonly MessageEntity["type"][] = ["bold", "italic", "strikethrough", "spoiler"];

/** The most entities that the server may count: it counts them after splitting those that contain others. */
export function countEntities(entities: readonly MessageEntity[]): number {
  const edges = [...new Set(entities.flatMap(({ offset, length }) => [offset, offset + length]))];
  return entities.reduce((count, { type, offset, length }) => {
    const within = edges.filter((edge) => edge > offset && edge < offset + length);
    return count + 1 + (SPLIT.includes(type) ? within.length : 0);
  }, 0);
}
