import { Refused } from "../refused.ts";

/** How many images a message may have. */
export const MAX_IMAGES = 4;

/** The largest total size of a message's images, in bytes. The page makes images far smaller before it sends them. */
const MAX_IMAGE_BYTES = 6_000_000;

/** The first bytes of a file, in Latin-1, by type. Models read these types, and browsers execute nothing in them. */
const SIGNATURES: Readonly<Record<string, RegExp>> = {
  "image/png": /^\x89PNG\r\n\x1a\n/,
  "image/jpeg": /^\xff\xd8\xff/,
  "image/gif": /^GIF8[79]a/,
  "image/webp": /^RIFF[^]{4}WEBP/,
};

/** Returns the images of a message as `data:` URLs with the type that their bytes show. Throws a `Refused` otherwise. */
export function checkImages(urls: readonly string[]): string[] {
  if (urls.length > MAX_IMAGES) throw new Refused(400, `A message may have at most ${MAX_IMAGES} images.`);
  let size = 0;
  return urls.map((url, index) => {
    const { bytes } = readImage(url);
    const start = bytes.toString("latin1", 0, 12);
    const type = Object.keys(SIGNATURES).find((name) => SIGNATURES[name]?.test(start));
    size += bytes.length;
    if (!type)
      throw new Refused(
        400,
        `Image ${index + 1} must be a data: URL of a PNG, JPEG, GIF or WebP image, in base64.`,
      );
    if (size > MAX_IMAGE_BYTES)
      throw new Refused(
        413,
        `The images of a message may have at most ${MAX_IMAGE_BYTES / 1e6} MB in total.`,
      );
    return `data:${type};base64,${bytes.toString("base64")}`;
  });
}

/** Decodes a `data:` URL. The type is empty, and there are no bytes, if it is not one. */
export function readImage(url: string): { readonly type: string; readonly bytes: Buffer<ArrayBuffer> } {
  const comma = url.indexOf(",");
  const [, type = ""] =
    /^data:([\w/+.-]+);base64$/.exec(url.slice(0, Math.max(0, Math.min(comma, 100)))) ?? [];
  return { type, bytes: Buffer.from(type ? url.slice(comma + 1) : "", "base64") };
}
