import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Chats, Person, SimulatedChat } from "./chats.ts";
import type { Limiter } from "./limiter.ts";
import { Refusal } from "./refusal.ts";

export interface RobotOptions {
  readonly robotCode: string;
  readonly chats: Chats;
  /** Lifetime of a session webhook, in ms. */
  readonly sessionMs: number;
  readonly limiter: Limiter;
}

/** The ways in which a robot sends messages; each returns the body of the answer. */
export interface Robot {
  /** Posts by a session webhook; refusals have status 200 too. */
  webhook(session: string, fields: unknown): object;
  toPerson(fields: unknown): object;
  toGroup(fields: unknown): object;
  /** Opens a session webhook of a conversation. */
  open(chat: SimulatedChat): { readonly session: string; readonly until: number };
  /** Ends all sessions early. */
  expireAll(): void;
}

/** Longest `msgParam` (help.dingtalk.io) and longest message by webhook (errcode 460101), in bytes. */
const MAX_PARAM_BYTES = 15_000;
const MAX_WEBHOOK_BYTES = 20_000;

const Markdown = z.object({ title: z.string().min(1), text: z.string().min(1) });
const ByWebhook = z.object({ msgtype: z.literal("markdown"), markdown: Markdown });
const Template = z.object({
  robotCode: z.string(),
  msgKey: z.literal("sampleMarkdown"),
  msgParam: z.string(),
});
const ToPerson = Template.extend({ userIds: z.array(z.string()).min(1).max(20) });
const ToGroup = Template.extend({ openConversationId: z.string() });

/** Creates the robot that posts to the conversations. */
export function createRobot({ robotCode, chats, sessionMs, limiter }: RobotOptions): Robot {
  const sessions = new Map<string, { readonly chat: SimulatedChat; readonly until: number }>();

  return {
    webhook: (session, fields) => {
      const known = sessions.get(session);
      if (!known || known.until < Date.now()) return { errcode: 300_001, errmsg: "session 不存在" };
      const message = ByWebhook.safeParse(fields).data;
      if (!message) return { errcode: 40_035, errmsg: "缺少参数 json" };
      if (Buffer.byteLength(JSON.stringify(fields)) > MAX_WEBHOOK_BYTES)
        return { errcode: 460_101, errmsg: "message too long, exceed 20000 bytes" };
      if (!limiter()) return { errcode: 130_101, errmsg: "send too fast, exceed 20 times per minute" };
      known.chat.messages.push({ from: "bot", ...message.markdown });
      return { errcode: 0, errmsg: "ok" };
    },
    toPerson: (fields) => {
      const { userIds, ...template } = readOr400(ToPerson, fields);
      const message = read(template);
      const invalidStaffIdList = userIds.filter((id) => !chats.byStaff(id));
      const known = userIds.filter((id) => chats.byStaff(id));
      const flowControlledStaffIdList = known.filter(() => !limiter());
      for (const id of known.filter((each) => !flowControlledStaffIdList.includes(each)))
        chats.byStaff(id)?.messages.push({ from: "bot", ...message });
      return { processQueryKey: randomUUID(), invalidStaffIdList, flowControlledStaffIdList };
    },
    toGroup: (fields) => {
      const { openConversationId, ...template } = readOr400(ToGroup, fields);
      const message = read(template);
      const chat = chats.byId(openConversationId);
      if (!chat?.isGroup) throw new Refusal(400, "invalidParameter.openConversationId", "no such group");
      if (!limiter())
        throw new Refusal(403, "Forbidden.AccessDenied.QpsLimitForApi", "the limit of this API is reached");
      chat.messages.push({ from: "bot", ...message });
      return { processQueryKey: randomUUID() };
    },
    open: (chat) => {
      const session = randomUUID().replaceAll("-", "");
      const until = Date.now() + sessionMs;
      sessions.set(session, { chat, until });
      return { session, until };
    },
    expireAll: () => sessions.clear(),
  };

  function read({ robotCode: code, msgParam }: z.infer<typeof Template>): z.infer<typeof Markdown> {
    if (code !== robotCode) throw new Refusal(400, "invalidParameter.robotCode", "no such robot");
    if (Buffer.byteLength(msgParam) > MAX_PARAM_BYTES)
      throw new Refusal(400, "invalidParameter.msgParam.tooLong", "msgParam exceeds 15000 bytes");
    return readOr400(Markdown, JSON.parse(msgParam));
  }
}

function readOr400<T>(schema: z.ZodType<T>, fields: unknown): T {
  const { data } = schema.safeParse(fields);
  if (data === undefined) throw new Refusal(400, "invalidParameter", "a parameter is missing or wrong");
  return data;
}

/** The payload of a message to the robot, in Stream mode and by callback alike. */
export function toPayload(
  { chat, person, msgId, content }: { chat: SimulatedChat; person: Person; msgId: string; content: object },
  { robotCode, webhook, until }: { robotCode: string; webhook: string; until: number },
): object {
  return {
    conversationId: chat.id,
    conversationType: chat.isGroup ? "2" : "1",
    ...(chat.isGroup && {
      conversationTitle: chat.name,
      isInAtList: true,
      atUsers: [{ dingtalkId: robotCode }],
    }),
    chatbotCorpId: "dingsimulated",
    chatbotUserId: `$:LWCP_v1:$${robotCode}`,
    msgId,
    senderNick: person.name,
    isAdmin: false,
    senderStaffId: person.staffId,
    senderCorpId: "dingsimulated",
    senderId: person.senderId,
    senderPlatform: "Mac",
    sessionWebhook: webhook,
    sessionWebhookExpiredTime: until,
    createAt: Date.now(),
    robotCode,
    ...content,
  };
}
