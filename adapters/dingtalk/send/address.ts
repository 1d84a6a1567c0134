import { z } from "zod";
import { PlatformError } from "../../../src/errors.ts";
import type { Address } from "../../../src/event.ts";

/** The address of an event. */
const To = z.object({
  /** The conversation's id, which the robot API calls `openConversationId`. */
  conversation: z.string(),
  group: z.boolean(),
  robot: z.string(),
  /** The user's id. Users of other organisations have none, and can be answered only by the webhook. */
  staff: z.string().optional(),
  /** The session webhook. It is a credential: it allows writing here until `until`, in ms since the epoch. */
  webhook: z.string().optional(),
  until: z.number().optional(),
});

export type DingtalkAddress = z.infer<typeof To>;

/** Reads an address as an event carries it; throws a permanent `PlatformError` for any other. */
export function readAddress(to: Address): DingtalkAddress {
  const address = To.safeParse(to).data;
  if (address) return address;
  throw new PlatformError(
    "dingtalk_address",
    "this is not an address of DingTalk's adapter: it needs a conversation and a robot",
    {
      permanent: true,
    },
  );
}
