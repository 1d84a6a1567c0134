/** Something that was said, in words and images. */
interface Illustrated {
  readonly content: string;
  readonly images?: readonly string[] | undefined;
}

/** So many images go along with a question, the newest: each is paid for again with every question that follows. */
const MAX_IMAGES = 8;

/** What stands in a text for an image that is not there. */
const PLACE = "[image]";

/** A text with a word for each image that was sent with it. */
export function inWords({ content, images = [] }: Illustrated): string {
  return [content, ...images.map(() => PLACE)].filter(Boolean).join("\n");
}

/** The newest images stay; of the others only the text tells. */
export function newestImages<Said extends Illustrated>(messages: readonly Said[]): Said[] {
  let left = MAX_IMAGES;
  return messages
    .toReversed()
    .map((message) => {
      const { images = [] } = message;
      const dropped = Math.max(0, images.length - left);
      left -= images.length - dropped;
      return dropped > 0 ? withOnly(message, images.slice(dropped)) : message;
    })
    .toReversed();
}

/** Images by name become images to look at; of what cannot be had only the text tells. */
export function fetchImages<Said extends Illustrated>(
  messages: readonly Said[],
  fetch: (ref: string) => Promise<string | undefined>,
): Promise<Said[]> {
  return Promise.all(
    messages.map(async (message) => {
      if (!message.images) return message;
      const found = await Promise.all(message.images.map(fetch));
      return withOnly(
        message,
        found.filter((image) => image !== undefined),
      );
    }),
  );
}

/** A message with fewer images, and a word for each that it had more. */
export function withOnly<Said extends Illustrated>(message: Said, kept: readonly string[]): Said {
  const { content, images = [] } = message;
  return {
    ...message,
    content: inWords({ content, images: images.slice(kept.length) }),
    images: kept.length > 0 ? kept : undefined,
  };
}
