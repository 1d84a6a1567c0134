import { Refused } from "./route.ts";

/** So many images go with a message. */
export const MAX_IMAGES = 4;

/** Of all images of a message, in bytes; the page makes them far smaller before it sends them. */
const MAX_IMAGE_BYTES = 6_000_000;

/** The largest request with images, in bytes: they come as base64, beside the text. */
export const MAX_BODY_WITH_IMAGES = 9_000_000;

/** Of one person this much is read at once, in bytes: two of the largest messages, from two devices. */
export const MAX_OF_A_PERSON = 2 * MAX_BODY_WITH_IMAGES;

/** What a file of each type begins with, in Latin-1: models look at these, and browsers run nothing in them. */
const TYPES: Readonly<Record<string, RegExp>> = {
  "image/png": /^\x89PNG\r\n\x1a\n/,
  "image/jpeg": /^\xff\xd8\xff/,
  "image/gif": /^GIF8[79]a/,
  "image/webp": /^RIFF[^]{4}WEBP/,
};

/** The images of a message as `data:` URLs whose types are those of their bytes. Throws a `Refused` for anything else. */
export function checkImages(urls: readonly string[]): string[] {
  if (urls.length > MAX_IMAGES) throw new Refused(400, `At most ${MAX_IMAGES} images go with a message.`);
  let size = 0;
  return urls.map((url, index) => {
    const { bytes } = readImage(url);
    const type = Object.keys(TYPES).find((name) => TYPES[name]?.test(bytes.toString("latin1", 0, 12)));
    size += bytes.length;
    if (!type)
      throw new Refused(
        400,
        `Image ${index + 1} must be a data: URL of a PNG, JPEG, GIF or WebP, in base64.`,
      );
    if (size > MAX_IMAGE_BYTES)
      throw new Refused(413, `The images of a message may have ${MAX_IMAGE_BYTES / 1e6} MB together.`);
    return `data:${type};base64,${bytes.toString("base64")}`;
  });
}

/** What is in a `data:` URL; nothing if it is none. */
export function readImage(url: string): { readonly type: string; readonly bytes: Buffer<ArrayBuffer> } {
  const comma = url.indexOf(",");
  const [, type = ""] =
    /^data:([\w/+.-]+);base64$/.exec(url.slice(0, Math.max(0, Math.min(comma, 100)))) ?? [];
  return { type, bytes: Buffer.from(type ? url.slice(comma + 1) : "", "base64") };
}
