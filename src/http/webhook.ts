import { readBody } from "./bodies.ts";

/** How a platform's requests to us are told from others, and taken in. */
export interface WebhookOptions {
  /** Whether the platform itself has sent it. */
  readonly isGenuine: (headers: Headers) => boolean;
  /** Whether it has not come before with another body; always if absent. */
  readonly isFirst?: (headers: Headers, body: string) => boolean;
  /** Takes in what was sent, which is JSON; resolves once stored. Undefined while nothing can be received. */
  readonly take: () => ((body: string) => Promise<void>) | undefined;
  /** What the platform gets once it is stored; nothing (200) if absent. */
  readonly stored?: () => Response;
}

/** The most of a request that is read, in bytes; platforms send a few kB. */
const MAX_BODY = 1_048_576;

/** Answers a platform's requests: 200 only once what came is stored, for otherwise the platform may send it again. */
export function createWebhook(options: WebhookOptions): (request: Request) => Promise<Response> {
  const { isGenuine, isFirst = () => true, take, stored = () => answer(200) } = options;
  return async (request) => {
    if (request.method !== "POST") return answer(405, { allow: "POST" });
    if (!isGenuine(request.headers)) return answer(401);
    // Decoded as a whole: a character may lie across two chunks.
    const body = (await readBody(request, MAX_BODY).catch(() => Buffer.alloc(0)))?.toString();
    if (body === undefined) return answer(413);
    if (!isJson(body)) return answer(400);
    if (!isFirst(request.headers, body)) return answer(401);
    const store = take();
    if (!store) return answer(503);
    return store(body).then(stored, () => answer(503));
  };
}

function answer(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers });
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
