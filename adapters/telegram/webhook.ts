import { createHash, timingSafeEqual } from "node:crypto";

export interface WebhookOptions {
  /** What Telegram must show with every request. */
  readonly secret: string;
  /** Takes one update in; resolves once stored. Undefined while nothing can be received. */
  readonly take: () => ((update: unknown) => Promise<void>) | undefined;
}

/** The most of a request that is read, in bytes; Telegram's updates are a few kB. */
const LARGEST_BODY = 1_048_576;

/** A secret that every process with this token comes to, and from which the token cannot be told. */
export function secretFrom(token: string): string {
  return createHash("sha256").update(`colloquy webhook ${token}`).digest("hex");
}

/** Answers Telegram's requests: 200 only once the update is stored, for otherwise Telegram sends it again. */
export function createWebhook({ secret, take }: WebhookOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== "POST") return answer(405, { allow: "POST" });
    if (!sameSecret(request.headers.get("x-telegram-bot-api-secret-token") ?? "", secret)) return answer(401);
    const body = await readBody(request);
    if (body === undefined) return answer(413);
    const update = parse(body);
    if (update === undefined) return answer(400);
    const store = take();
    if (!store) return answer(503);
    return store(update).then(
      () => answer(200),
      () => answer(500),
    );
  };
}

function answer(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers });
}

/** Takes the same time wherever the first difference is. */
function sameSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

/** Undefined if there is too much of it. Decoded as a whole: a character may lie across two chunks. */
async function readBody(request: Request): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
