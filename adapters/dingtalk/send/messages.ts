import { z } from "zod";
import type { Adapter } from "../../../src/adapter.ts";
import { type DingtalkAddress, readAddress } from "./address.ts";
import type { Api } from "../api.ts";
import type { DingtalkBody } from "../dialect/dialect.ts";
import { DingtalkRefusal, MINUTE_MS, unanswered } from "../errors.ts";
import { dingtalkPayload } from "./payload.ts";

/** A webhook that ends within this time is not used, because clocks differ and requests take time; in ms. */
const WEBHOOK_MARGIN_MS = 60_000;

const Sent = z.object({
  processQueryKey: z.string().min(1).optional(),
  invalidStaffIdList: z.array(z.string()).optional().catch(undefined),
  flowControlledStaffIdList: z.array(z.string()).optional().catch(undefined),
});

/**
 * Creates the sending of messages: by the session webhook while it is valid, then by the robot API. DingTalk has no way to
 * edit or find a message that was sent, and no idempotency keys.
 */
export function createMessages(api: Api): Pick<Adapter<DingtalkBody>, "send"> {
  return {
    send: async (to, body, key) => {
      const address = readAddress(to);
      if (await sendByWebhook(address, body)) return `webhook:${key}`;
      return address.group ? sendToGroup(address, body) : sendToPerson(address, body);
    },
  };

  /** Returns false if there is no valid session, in which case nothing was sent. */
  async function sendByWebhook(
    { webhook, until = 0 }: DingtalkAddress,
    body: DingtalkBody,
  ): Promise<boolean> {
    if (!webhook || until - WEBHOOK_MARGIN_MS < Date.now()) return false;
    const { title, text } = body;
    try {
      await api.post(webhook, { msgtype: "markdown", markdown: { title, text } });
      return true;
    } catch (error) {
      if (error instanceof DingtalkRefusal && error.kind === "session") return false;
      throw error;
    }
  }

  async function sendToGroup({ conversation, robot }: DingtalkAddress, body: DingtalkBody): Promise<string> {
    const fields = { robotCode: robot, openConversationId: conversation, ...dingtalkPayload(body) };
    return readReference(
      await api.call({ path: "/v1.0/robot/groupMessages/send", fields, action: "send to a group" }),
    );
  }

  async function sendToPerson({ staff, robot }: DingtalkAddress, body: DingtalkBody): Promise<string> {
    if (!staff)
      throw unreachable("the user belongs to another organisation, and the session webhook has ended");
    const fields = { robotCode: robot, userIds: [staff], ...dingtalkPayload(body) };
    return readReference(
      await api.call({ path: "/v1.0/robot/oToMessages/batchSend", fields, action: "send to a person" }),
    );
  }
}

/** Reads an answer, which has status 200 even if it lists the user as left out. */
function readReference(answer: unknown): string {
  const { data } = Sent.safeParse(answer);
  if (data?.flowControlledStaffIdList?.length)
    throw new DingtalkRefusal("busy", "DingTalk refused a message: this user got too many in a short time", {
      code: "flow_controlled",
      retryAfterMs: MINUTE_MS,
    });
  if (data?.invalidStaffIdList?.length)
    throw unreachable("DingTalk does not know this user in the app's organisation");
  if (data?.processQueryKey) return data.processQueryKey;
  throw unanswered("send a message", "the answer is invalid");
}

function unreachable(why: string): DingtalkRefusal {
  return new DingtalkRefusal("refused", `This user cannot be answered on DingTalk: ${why}`, {
    code: "no_way",
    permanent: true,
  });
}
