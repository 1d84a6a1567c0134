import { createHmac, timingSafeEqual } from "node:crypto";

export interface CallbackOptions {
  readonly clientSecret: string;
  /** Takes a message in; resolves once stored. Undefined while nothing can be received. */
  readonly take: () => ((data: string) => Promise<void>) | undefined;
}

/** A request signed longer ago than this is somebody's copy, in ms (open.dingtalk.com: an hour). */
const WINDOW_MS = 3_600_000;

/** The most of a request that is read, in bytes; messages are a few kB. */
const LARGEST_BODY = 1_048_576;

/**
 * Answers DingTalk's requests: 200 only once the message is stored. What is signed is the time alone, so that a copied
 * request is told by the message's id, and what leads away from DingTalk is not followed.
 */
export function createCallback({
  clientSecret,
  take,
}: CallbackOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== "POST") return answer(405, { allow: "POST" });
    if (!isSigned(request.headers, clientSecret)) return answer(401);
    const body = await readBody(request);
    if (body === undefined) return answer(413);
    if (!isJson(body)) return answer(400);
    const store = take();
    if (!store) return answer(503);
    return store(body).then(
      // Whatever else it said would be sent to the person.
      () => Response.json({ msgtype: "empty" }),
      () => answer(503),
    );
  };
}

/** `sign` is base64(HMAC-SHA256(secret, timestamp + "\n" + secret)); the timestamp is in ms since the epoch. */
function isSigned(headers: Headers, clientSecret: string): boolean {
  const timestamp = headers.get("timestamp") ?? "";
  if (!/^\d{10,16}$/.test(timestamp) || Math.abs(Date.now() - Number(timestamp)) > WINDOW_MS) return false;
  const wanted = createHmac("sha256", clientSecret).update(`${timestamp}\n${clientSecret}`).digest();
  const given = Buffer.from(headers.get("sign") ?? "", "base64");
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function answer(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers });
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

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
