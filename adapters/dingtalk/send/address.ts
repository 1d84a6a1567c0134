import { z } from "zod";
import { PlatformError } from "../../../src/errors.ts";
import type { Address } from "../../../src/event.ts";

/** The addresses that events carry. */
const To = z.object({
  /** The conversation, which is also what the robot API calls `openConversationId`. */
  conversation: z.string(),
  group: z.boolean(),
  robot: z.string(),
  /** Who has asked; those from other organisations have none, and can be answered by the webhook only. */
  staff: z.string().optional(),
  /** A credential: whoever has it can write here until `until`, in ms since the epoch. */
  webhook: z.string().optional(),
  until: z.number().optional(),
});

/** Where to answer, and by which ways. */
export type DingtalkAddress = z.infer<typeof To>;

/** An address as the adapter wrote it; throws a permanent `PlatformError` at any other. */
export function readAddress(to: Address): DingtalkAddress {
  const address = To.safeParse(to).data;
  if (address) return address;
  throw new PlatformError(
    "dingtalk_address",
    "this is no DingTalk address: it needs a conversation and a robot",
    {
      permanent: true,
    },
  );
}
