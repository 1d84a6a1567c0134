import { Refused } from "../refused.ts";
import type { Records, Stored } from "./records.ts";

/** The most that is stored for one user. A user who reaches a limit has to delete something. */
export interface Quotas extends Stored {
  /** Turns of one conversation. */
  readonly turns: number;
}

/**
 * Far more than people need: ten conversations a day for a quarter of a year, and as much text as a hundred novels. The
 * turns are limited because a conversation is loaded whole whenever it is opened.
 */
export const QUOTAS: Quotas = {
  conversations: 1_000,
  withImages: 1_000,
  imageBytes: 300_000_000,
  textBytes: 100_000_000,
  turns: 2_000,
};

/** What a new message adds to what is stored. */
export interface Addition {
  readonly user: string;
  /** The message begins a conversation. */
  readonly isNewConversation: boolean;
  readonly hasImages: boolean;
}

/** Rejects with a `Refused` if the user has reached a limit that the message counts towards. */
export async function checkQuotas(
  records: Records,
  quotas: Quotas,
  { user, isNewConversation, hasImages }: Addition,
): Promise<void> {
  const stored = await records.stored(user);
  const isFull =
    stored.textBytes >= quotas.textBytes ||
    (isNewConversation && stored.conversations >= quotas.conversations) ||
    (hasImages && (stored.withImages >= quotas.withImages || stored.imageBytes >= quotas.imageBytes));
  if (isFull)
    throw new Refused(
      413,
      "There is no room for more messages. Please delete conversations that you no longer need.",
    );
}
