/** A text with images. */
interface Illustrated {
  readonly content: string;
  readonly images?: readonly string[] | undefined;
}

/** The most images in a request. The newest are kept: each one is paid for again with every later question. */
const MAX_IMAGES = 8;

/** Replaces an image that is left out. */
const PLACEHOLDER = "[image]";

/** The text with a placeholder for each image. */
export function inWords({ content, images = [] }: Illustrated): string {
  return [content, ...images.map(() => PLACEHOLDER)].filter(Boolean).join("\n");
}

/** The messages with only their newest images; older ones become placeholders. */
export function newestImages<M extends Illustrated>(messages: readonly M[]): M[] {
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

/** The messages with their references replaced by the images that `fetch` finds; missing ones become placeholders. */
export function fetchImages<M extends Illustrated>(
  messages: readonly M[],
  fetch: (ref: string) => Promise<string | undefined>,
): Promise<M[]> {
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

/** A message with only these images, and with a placeholder for each one that it loses. */
export function withOnly<M extends Illustrated>(message: M, remaining: readonly string[]): M {
  const { content, images = [] } = message;
  return {
    ...message,
    content: inWords({ content, images: images.slice(remaining.length) }),
    images: remaining.length > 0 ? remaining : undefined,
  };
}
