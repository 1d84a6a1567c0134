import type { Conversations } from "../../conversations/conversations.ts";
import type { Records } from "../../conversations/records.ts";
import { threadName } from "../../conversations/updates.ts";
import { Refused } from "../../refused.ts";

/** The name of the conversation in a path. Throws a `Refused` (404) if it is not a valid name. */
export function threadOf({ thread }: Readonly<Record<string, string>>): string {
  const parsed = threadName.safeParse(thread);
  if (parsed.success) return parsed.data;
  throw new Refused(404, "There is no such conversation.");
}

/** Whether a conversation exists. Stopping or deleting one that does not would bring it into being. */
export async function isKnown(
  { records, conversations }: { readonly records: Records; readonly conversations: Conversations },
  user: string,
  thread: string,
): Promise<boolean> {
  if (await records.entry(user, thread)) return true;
  const { input, output } = await conversations.spent(user, thread);
  return input + output > 0;
}
