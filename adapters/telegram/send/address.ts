import { z } from "zod";
import { PlatformError } from "../../../src/errors.ts";
import type { Address } from "../../../src/event.ts";

/** The address in an event: the chat, the message that asks, and the topic. */
const To = z.object({
  chat: z.int(),
  question: z.int().optional(),
  thread: z.int().optional(),
});

/** Reads an address that this adapter has written; throws a permanent `PlatformError` for any other. */
export function readAddress(to: Address): z.infer<typeof To> {
  const address = To.safeParse(to).data;
  if (address) return address;
  throw new PlatformError("telegram_address", "not a Telegram address: the chat id is missing", {
    permanent: true,
  });
}

/** Whether the chat is a group: groups have negative ids. */
export function isGroup(chat: number): boolean {
  return chat < 0;
}
