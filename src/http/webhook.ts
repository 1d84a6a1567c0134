import { readBody } from "./bodies.ts";

/** How to recognize and store the requests of a platform. */
export interface WebhookOptions {
  /** Whether the platform itself sent the request. */
  readonly isGenuine: (headers: Headers) => boolean;
  /** Whether the request is not a replay, with another body, of an earlier one; by default none is. */
  readonly isFirst?: (headers: Headers, body: string) => boolean;
  /** Returns the function that stores a body, which is valid JSON; undefined while nothing can be received. */
  readonly take: () => ((body: string) => Promise<void>) | undefined;
  /** Creates the response for a stored request; by default an empty one with status 200. */
  readonly stored?: () => Response;
}

/** The maximum size of a request, in bytes; platforms send a few kB. */
const MAX_BODY = 1_048_576;

/** Answers the requests of a platform: with 200 only once the body is stored, so that otherwise it is sent again. */
export function createWebhook(options: WebhookOptions): (request: Request) => Promise<Response> {
  const { isGenuine, isFirst = () => true, take, stored = () => answer(200) } = options;
  return async (request) => {
    if (request.method !== "POST") return answer(405, { allow: "POST" });
    if (!isGenuine(request.headers)) return answer(401);
    // Decoded as a whole, because a character may be split across two chunks.
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
