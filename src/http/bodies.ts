/** Reads request bodies, and limits how much is read at once over all requests. */
export interface Bodies {
  /**
   * Reads a body of at most `most` bytes and passes it to `use`; the body counts until `use` has settled. Rejects with a
   * `BodyRefused` if the body is too large, if too much is being read already, or if the request is aborted.
   */
  read<T>(request: Request, options: BodyOptions, use: (body: Buffer) => Promise<T>): Promise<T>;
}

export interface BodyOptions {
  /** The maximum size of the body, in bytes. */
  readonly most: number;
  /** The sender: a user, or the address of an unknown client. */
  readonly who: string;
  /** How much of this sender may be read at once, in bytes. */
  readonly mostOfWho: number;
}

/**
 * A body was not read. The HTTP status says why: aborted (400), too large (413), too much at once from this sender (429)
 * or from all senders (503).
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
 * How much is read at once by default, in bytes: seven of the largest messages with images. Processing a body takes a
 * few times its size in memory.
 */
const MAX_AT_ONCE = 64_000_000;

/** Creates a reader that holds at most `mostAtOnce` bytes. */
export function createBodies({ mostAtOnce = MAX_AT_ONCE }: { readonly mostAtOnce?: number } = {}): Bodies {
  const held = new Map<string, number>();
  let total = 0;
  return {
    read: async (request, { most, who, mostOfWho }, use) => {
      let size = 0;
      const reserve = (bytes: number) => {
        if (total + bytes > mostAtOnce)
          throw new BodyRefused(503, "The server is busy with other requests. Please try again in a moment.");
        if ((held.get(who) ?? 0) + bytes > mostOfWho)
          throw new BodyRefused(429, "Too much is being sent at once. Please try again in a moment.");
        size += bytes;
        total += bytes;
        held.set(who, (held.get(who) ?? 0) + bytes);
      };
      try {
        const body = await readBody(request, most, reserve);
        if (!body) throw new BodyRefused(413, "The request is too large. Please send it in parts.");
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
 * Reads the body of a request; returns undefined, and stops reading, if it has more than `most` bytes. `reserve` is
 * called with the size of each chunk before it is stored, and may throw.
 */
export async function readBody(
  request: Request,
  most: number,
  reserve: (bytes: number) => void = () => undefined,
): Promise<Buffer | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > most) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    size += chunk.length;
    if (size > most) return undefined;
    reserve(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* chunksOf({ body }: Request): AsyncGenerator<Uint8Array, void> {
  if (!body) return;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new BodyRefused(400, "The request was aborted.");
    });
    if (done) return;
    yield value;
  }
}
