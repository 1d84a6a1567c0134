import type { DingtalkBody } from "../dialect/dialect.ts";

/**
 * What a robot's message shows, as `oToMessages/batchSend` and `groupMessages/send` take it. There is no list of
 * people to mention, whatever the text says.
 */
export function dingtalkPayload({ title, text }: DingtalkBody) {
  return { msgKey: "sampleMarkdown", msgParam: JSON.stringify({ title, text }) };
}
