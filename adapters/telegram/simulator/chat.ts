import type { SimulatedButton } from "./buttons.ts";
import type { SimulatedEntity } from "./entities.ts";
import type { SimulatedRich } from "./rich/rich.ts";

/** A person with a Telegram account. */
export interface Person {
  readonly id: number;
  readonly name: string;
  /** The language of the person's app. */
  locale: string;
  /** Whether the person has blocked the bot. */
  blocked: boolean;
}

/** A chat and its messages. */
export interface SimulatedChat {
  readonly id: number;
  readonly type: "private" | "group" | "supergroup";
  readonly name: string;
  readonly person?: Person;
  /** The id of the supergroup that this group has become. */
  movedTo?: number;
  /** The group that this supergroup was before. Its messages remain visible and cannot be changed. */
  before?: SimulatedChat;
  readonly messages: SimulatedMessage[];
  /** Until when the bot is shown as typing, in ms since the epoch. */
  typingUntil: number;
  /** The bot's latest draft, which may have expired. */
  draft?: SimulatedDraft | undefined;
}

/** A message as the chat shows it. */
export interface SimulatedMessage {
  readonly id: number;
  /** Absent if the bot has sent it. */
  readonly sender?: Person;
  readonly date: number;
  readonly thread?: number;
  readonly replyTo?: number;
  text: string;
  entities: readonly SimulatedEntity[];
  /** The content of a rich message; `text` is its plain text. */
  rich?: SimulatedRich | undefined;
  /** The buttons below the message. */
  buttons?: readonly SimulatedButton[] | undefined;
  edits: number;
}

/** A draft of the bot, shown below the messages of a private chat. */
export interface SimulatedDraft {
  readonly id: number;
  /** The plain text. */
  readonly text: string;
  readonly entities: readonly SimulatedEntity[];
  readonly rich?: SimulatedRich;
  /** Whether there is a button to stop the answer. */
  readonly canStop: boolean;
  /** Whether the draft remains for a while after the button is pressed. */
  readonly keepOnStop: boolean;
  readonly thread?: number;
  /** Until when it is shown, in ms since the epoch. */
  readonly until: number;
}
