import { z } from "zod";
import { PlatformError } from "../../../src/errors.ts";
import type { Address } from "../../../src/event.ts";

/** The addresses that events carry: a chat, the message asked with, and the topic. */
const To = z.object({
  chat: z.int(),
  question: z.int().optional(),
  thread: z.int().optional(),
});

/** An address as the adapter wrote it; throws a permanent `PlatformError` at any other. */
export function readAddress(to: Address): z.infer<typeof To> {
  const address = To.safeParse(to).data;
  if (address) return address;
  throw new PlatformError("telegram_address", "this is no Telegram address: it needs a chat id", {
    permanent: true,
  });
}

/** Groups have negative ids. */
export function isGroup(chat: number): boolean {
  return chat < 0;
}
