/** Reads bodies of requests, of all together no more at once than there is room for. */
export interface Bodies {
  /**
   * Reads a body of at most `most` bytes and hands it to `use`; what it takes counts until that has settled. Rejects
   * with a `BodyRefused` if it is too large, if too much is being read already, or if it breaks off.
   */
  read<T>(request: Request, options: BodyOptions, use: (body: Buffer) => Promise<T>): Promise<T>;
}

export interface BodyOptions {
  /** In bytes. */
  readonly most: number;
  /** Who sends it: a person, or an address of someone unknown. */
  readonly who: string;
  /** At most this much of theirs is read at once, in bytes. */
  readonly mostOfWho: number;
}

/**
 * Why a body was not read, as an HTTP status: too large, too much at once from them, broken off, too much at once in
 * all.
 */
export class BodyRefused extends Error {
  override readonly name = "BodyRefused";
  readonly status: 400 | 413 | 429 | 503;

  constructor(status: BodyRefused["status"], message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * At most this much is read at once by default, in bytes: seven of the largest messages with images. What becomes of it
 * while it is taken in is a few times as large.
 */
const MAX_AT_ONCE = 64_000_000;

/** A reader with room for `mostAtOnce` bytes. */
export function createBodies({ mostAtOnce = MAX_AT_ONCE }: { readonly mostAtOnce?: number } = {}): Bodies {
  const held = new Map<string, number>();
  let total = 0;
  return {
    read: async (request, { most, who, mostOfWho }, use) => {
      let size = 0;
      const take = (bytes: number) => {
        if (total + bytes > mostAtOnce)
          throw new BodyRefused(503, "The server is busy with other requests. Please try again in a moment.");
        if ((held.get(who) ?? 0) + bytes > mostOfWho)
          throw new BodyRefused(429, "Too much is being sent at once. Please try again in a moment.");
        size += bytes;
        total += bytes;
        held.set(who, (held.get(who) ?? 0) + bytes);
      };
      try {
        const body = await readBody(request, most, take);
        if (!body) throw new BodyRefused(413, "That is too much at once.");
        return await use(body);
      } finally {
        total -= size;
        const left = (held.get(who) ?? 0) - size;
        if (left > 0) held.set(who, left);
        else held.delete(who);
      }
    },
  };
}

/**
 * The body of a request; undefined if it has more than `most` bytes, of which no more is read then. `take` is told of each
 * piece before it is kept, and may throw.
 */
export async function readBody(
  request: Request,
  most: number,
  take: (bytes: number) => void = () => undefined,
): Promise<Buffer | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > most) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of piecesOf(request)) {
    size += chunk.length;
    if (size > most) return undefined;
    take(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* piecesOf({ body }: Request): AsyncGenerator<Uint8Array, void> {
  if (!body) return;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new BodyRefused(400, "The request broke off.");
    });
    if (done) return;
    yield value;
  }
}
