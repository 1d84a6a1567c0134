import type { Address, ChatEvent, Json } from "../../../src/event.ts";
import { recordKey } from "./record-store.ts";
import type { TurnKey } from "./records.ts";

/** How many digits of a turn's name say when it was asked. A hyphen and the message's id follow. */
const CLOCK_DIGITS = 15;

/** Names a turn by the time of the question, so that names sort in order, and by the id that the client chose. */
export function turnNameOf(at: number, messageId: string): string {
  return `${String(at).padStart(CLOCK_DIGITS, "0")}-${messageId}`;
}

/** The id of the message that a turn answers. */
export function messageIdOf(turn: string): string {
  return turn.slice(CLOCK_DIGITS + 1);
}

/** When a turn was asked, in ms since the epoch. */
export function timeOf(turn: string): number {
  return Number(turn.split("-")[0]);
}

/** The event of a turn, without its text. */
export function eventOf({ user, thread, turn }: TurnKey, at: number): ChatEvent {
  return {
    id: `web:${encodeURIComponent(user)}:${thread}:${turn}`,
    platform: "web",
    user: { id: user, name: user },
    chat: { id: `${user}:${thread}`, kind: "direct", thread },
    to: { user, thread, turn },
    text: "",
    at,
  };
}

/** The event of a command that the page sends for the user: it is not shown as a message and gets no answer. */
export function silentCommand(
  user: string,
  thread: string,
  { name, text = "" }: { readonly name: string; readonly text?: string },
): ChatEvent {
  const at = Date.now();
  const event = eventOf({ user, thread, turn: turnNameOf(at, crypto.randomUUID()) }, at);
  return { ...event, to: { ...event.to, silent: true }, command: name, text, silent: true };
}

/** The turn that an answer's address belongs to. */
export function turnKeyOf({ user, thread, turn }: Address): TurnKey {
  const text = (part: Json | undefined) => (typeof part === "string" ? part : "");
  return { user: text(user), thread: text(thread), turn: text(turn) };
}

/** The turn that a message reference belongs to. References begin with the event's id: `web:<user>:<thread>:<turn>#0`. */
export function turnKeyIn(ref: string): TurnKey {
  const [, user = "", thread = "", turn = ""] = /^web:([^:#]*):([^:#]*):([^:#]*)/.exec(ref) ?? [];
  return { user: decodeURIComponent(user), thread, turn };
}

/** The attachment reference of an image of a question. */
export function imageRefOf({ user, thread, turn }: TurnKey, index: number): string {
  return `${recordKey(user, thread, turn)}:${index}`;
}

/** The opposite of `imageRefOf`. */
export function parseImageRef(ref: string): { readonly key: TurnKey; readonly index: number } {
  const [user = "", thread = "", turn = "", index] = ref.split(":").map(decodeURIComponent);
  return { key: { user, thread, turn }, index: Number(index) };
}
