import { idOf } from "./ids.ts";
import type { SentFile } from "./rest/body.ts";
import type { SimulatedButton } from "./rest/components.ts";

/** A user who talks to the bot. */
export interface Person {
  readonly id: string;
  readonly name: string;
  /** Whether the user refuses direct messages from the bot. */
  blocking: boolean;
}

/** A DM with one user, or a channel of a server. */
export interface Channel {
  readonly id: string;
  readonly name: string;
  /** The user of a DM; undefined in a server. */
  readonly person?: Person;
  /** Whether the bot's own token may read and write here; false where only a user installed the bot. */
  readonly open: boolean;
  readonly entries: Entry[];
  /** Until when the typing indicator is shown, in ms since the epoch. */
  typingUntil?: number;
}

/** A line of a channel. */
export interface Entry {
  readonly id: string;
  /** Undefined for the bot. */
  readonly author: Person | undefined;
  readonly at: number;
  text: string;
  flags: number;
  edits: number;
  editedAt: number | undefined;
  /** Whether this is a deferral that waits for its answer. */
  thinking: boolean;
  pings: Set<string>;
  files: readonly SentFile[];
  buttons: readonly SimulatedButton[];
  /** Names of the files that a user attached. */
  readonly attachments: readonly string[];
  readonly nonce: string | undefined;
  /** The interaction that a user's slash command (this line) opened, or that the bot answers with this line. */
  readonly interaction?: Interaction;
}

/** A use of a slash command, or a press of a button. */
export interface Interaction {
  readonly id: string;
  readonly token: string;
  readonly at: number;
  readonly person: Person;
  readonly channel: Channel;
  readonly userInstallOnly: boolean;
  /** The first response, once there is one. */
  original: Entry | undefined;
  followups: number;
}

/** Message flag: only the user of the command sees the message. */
export const EPHEMERAL = 1 << 6;

/** The id of an attachment of a message. */
export function attachmentId({ id }: Entry, index: number): string {
  return idOf(`${id}:${index}`);
}

/** Whether a line is a user's slash command, which is not a message in the API. */
export function isCommand(entry: Entry): boolean {
  return entry.author !== undefined && entry.interaction !== undefined;
}

/** Whether the API returns a message: ephemeral ones are not in the channel. */
export function isPublic(entry: Entry): boolean {
  return (entry.flags & EPHEMERAL) === 0;
}
