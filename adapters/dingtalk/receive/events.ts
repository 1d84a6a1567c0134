import { z } from "zod";
import { type Address, type Attachment, type ChatEvent, parseCommand } from "../../../src/event.ts";

/** The robot that receives a message. */
export interface Robot {
  readonly clientId: string;
  /** Whether a session webhook belongs to DingTalk. */
  readonly isOwn: (webhook: string) => boolean;
}

const optional = z.string().optional().catch(undefined);

/**
 * The fields of a message to the robot that the adapter reads, in Stream mode and by callback alike:
 * https://open.dingtalk.com/document/orgapp/receive-message.
 */
const Message = z.object({
  msgId: z.string().min(1),
  msgtype: z.string(),
  conversationId: z.string().min(1),
  /** "1" is one-to-one, "2" is a group. */
  conversationType: z.coerce.string().pipe(z.enum(["1", "2"])),
  isInAtList: z.boolean().optional().catch(undefined),
  senderId: z.string().min(1),
  senderStaffId: optional,
  senderNick: optional,
  robotCode: optional,
  createAt: z.coerce.number().positive().optional().catch(undefined),
  sessionWebhook: optional,
  sessionWebhookExpiredTime: z.coerce.number().optional().catch(undefined),
  text: z
    .object({ content: z.string().catch("") })
    .optional()
    .catch(undefined),
  content: z
    .object({
      recognition: optional,
      richText: z
        .array(z.object({ text: optional, type: optional }))
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
});
type Message = z.infer<typeof Message>;

/** The kinds of attachments by DingTalk's names. */
const ATTACHMENTS: Readonly<Record<string, string>> = {
  picture: "image",
  audio: "voice",
  video: "video",
  file: "file",
};

/**
 * Converts a message into an event; undefined if a group's message does not mention the robot. Throws a `ZodError` if it
 * is not a message. The event's id comes from the message's, so a message that is delivered again is the same event.
 */
export function toEvent(raw: unknown, { clientId, isOwn }: Robot): ChatEvent | undefined {
  const message = Message.parse(raw);
  const { senderStaffId: staff, senderNick: name } = message;
  const isGroup = message.conversationType === "2";
  if (isGroup && message.isInAtList === false) return undefined;
  const attachments = attachmentsOf(message);
  const text = textOf(message);
  if (!text && attachments.length === 0 && message.msgtype !== "text")
    attachments.push({ kind: message.msgtype });
  return {
    id: `dingtalk:${clientId}:${message.msgId}`,
    platform: "dingtalk",
    user: { id: staff || message.senderId, ...(name && { name }) },
    chat: { id: message.conversationId, kind: isGroup ? "group" : "direct" },
    to: toAddress(message, { clientId, isOwn }),
    ...(parseCommand(text) ?? { text }),
    ...(attachments.length > 0 && { attachments }),
    at: message.createAt ?? Date.now(),
  };
}

/** The text of a message, or DingTalk's transcript of a voice message. In a group, the mention has become a space. */
function textOf({ text, content }: Message): string {
  const rich = content?.richText?.map((part) => part.text ?? "").join("");
  return (text?.content ?? rich ?? content?.recognition ?? "").trim();
}

function attachmentsOf({ msgtype, content }: Message): Attachment[] {
  const kinds = [msgtype, ...(content?.richText ?? []).map(({ type = "" }) => type)];
  return kinds.flatMap((kind) => {
    const known = Object.hasOwn(ATTACHMENTS, kind) ? ATTACHMENTS[kind] : undefined;
    return known ? [{ kind: known }] : [];
  });
}

/** The address of the answer; `readAddress` is the inverse. */
function toAddress(message: Message, { clientId, isOwn }: Robot): Address {
  const { sessionWebhook: webhook, sessionWebhookExpiredTime: until, senderStaffId: staff } = message;
  return {
    conversation: message.conversationId,
    group: message.conversationType === "2",
    robot: message.robotCode || clientId,
    ...(staff && { staff }),
    // JSON can hold -0, which an event would not survive: + 0 makes it 0.
    ...(webhook && until !== undefined && isOwn(webhook) && { webhook, until: until + 0 }),
  };
}
