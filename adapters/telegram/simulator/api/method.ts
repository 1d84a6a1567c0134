import type { SimulatedChat } from "../chat.ts";
import type { Chats } from "../chats.ts";
import type { Menus } from "../menus.ts";
import type { Feed } from "../updates/feed.ts";
import type { SimulatedBot } from "./write.ts";

/** The fields of a request. */
export type Fields = Readonly<Record<string, unknown>>;

/** A method of the Bot API. The signal aborts when the client disconnects. */
export type Method = (fields: Fields, signal: AbortSignal) => unknown;

export interface MethodsOptions {
  readonly bot: SimulatedBot;
  readonly chats: Chats;
  readonly feed: Feed;
  /** Whether rich messages are supported (Bot API 10.1). */
  readonly rich: boolean;
  /** Throws a `Refusal` if there are too many writes. */
  readonly flood: (chat: SimulatedChat) => void;
  /** The ids of button presses that have not been answered. */
  readonly presses: Set<string>;
  /** The menus of commands; the methods fill it. */
  readonly menus: Menus;
}
