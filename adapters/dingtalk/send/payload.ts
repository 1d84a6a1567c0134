import type { DingtalkBody } from "../dialect/dialect.ts";

/**
 * The content of a robot's message, in the form of `oToMessages/batchSend` and `groupMessages/send`. It lists no users to
 * mention, so a message pings no one, even if its text contains a mention.
 */
export function dingtalkPayload({ title, text }: DingtalkBody) {
  return { msgKey: "sampleMarkdown", msgParam: JSON.stringify({ title, text }) };
}
