import { createHash } from "node:crypto";
import { describeIssues, isCheckable } from "../../../../src/http/issues.ts";
import { threadName } from "../../conversations/updates.ts";
import { Refused } from "../../refused.ts";
import { type CompletionRequest, type Content, MAX_REQUEST_MESSAGES, request } from "./schemas.ts";

/** Parses a request. Of its messages only the last one is checked, and only that one is in the result. */
export function parseRequest(body: Buffer): CompletionRequest {
  const given = parseJson(body);
  const { messages } = (given ?? {}) as { readonly messages?: unknown };
  if (Array.isArray(messages) && messages.length > MAX_REQUEST_MESSAGES)
    throw new Refused(
      400,
      `The request has ${messages.length} messages, and the limit is ${MAX_REQUEST_MESSAGES}. Please send fewer.`,
    );
  const checked = Array.isArray(messages) ? { ...(given as object), messages: messages.slice(-1) } : given;
  if (!isCheckable(checked)) throw new Refused(400, "The request has too many parts.");
  const parsed = request.safeParse(checked);
  if (parsed.success) return parsed.data;
  throw new Refused(400, describeIssues(parsed.error));
}

/** Undefined if it is not JSON. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** The text of a message. */
export function textOfContent(content: Content): string {
  return typeof content === "string" ? content : (content ?? []).flatMap(({ text = [] }) => text).join("\n");
}

/** The URLs of a message's images. They are never fetched: an address could lead into the network of the program. */
export function imagesOfContent(content: Content): string[] {
  const parts = typeof content === "string" ? [] : (content ?? []);
  return parts.flatMap(({ image_url: image }) => image?.url ?? []);
}

/** The conversation for the `user` of a request. Any name gives a valid one, and different names different ones. */
export function threadFor(user: string): string {
  const thread = `api-${Buffer.from(user).toString("base64url")}`;
  if (threadName.safeParse(thread).success) return thread;
  return `apis-${createHash("sha256").update(user).digest("base64url").slice(0, 35)}`;
}
