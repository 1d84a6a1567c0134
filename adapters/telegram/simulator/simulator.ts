import type { Fields } from "./api/method.ts";
import { createMethods } from "./api/methods.ts";
import { startApiServer } from "./api/server.ts";
import type { SimulatedDraft } from "./chat.ts";
import { createChats } from "./chats.ts";
import { createDrafts } from "./drafts.ts";
import { createFaults, type Fault } from "./faults.ts";
import { createDraftFlood, createFlood, type FloodLimits, REAL_FLOOD_LIMITS } from "./flood.ts";
import { menuIn, type Menus, type SimulatedCommand } from "./menus.ts";
import { createPeople, type People } from "./people.ts";
import { createFeed } from "./updates/feed.ts";

/** The settings of the simulated Telegram. */
export interface TelegramSimulatorOptions {
  /** Any free port if 0 or absent. */
  readonly port?: number;
  readonly token?: string;
  /** The bot's name without "@". */
  readonly username?: string;
  /** Enforces Telegram's flood limits (true), or the given ones; no limits if absent. */
  readonly flood?: boolean | Partial<FloodLimits>;
  /** Whether it supports rich messages, as servers since Bot API 10.1 do; true by default. */
  readonly rich?: boolean;
  /** Whether it supports drafts, as servers since Bot API 9.5 do; true by default. */
  readonly drafts?: boolean;
  /** How long a draft is shown, in ms; 30 s by default, as in Telegram (TDLib's pending_text_message_period). */
  readonly draftMs?: number;
  /** The pause after the first failed delivery to a webhook, in ms; 1 s by default, as in Telegram. */
  readonly webhookRetryMs?: number;
  /** How many of the latest calls, and of the latest messages in each chat, to remember; all by default. */
  readonly keep?: number;
  /** Called after each call of the bot, which may have changed what people see. */
  readonly changed?: () => void;
}

/** A call of the bot. */
export interface SimulatedCall {
  readonly method: string;
  readonly payload: Fields;
  /** In ms since the epoch. */
  readonly at: number;
}

/** A simulated Bot API on 127.0.0.1, with Telegram's limits and refusals, and the people who use it. */
export interface TelegramSimulator extends People {
  readonly token: string;
  /** The address of the server, without a slash at the end. */
  readonly url: string;
  /** The URL that a client uses instead of https://api.telegram.org. */
  readonly apiRoot: string;
  /** All calls so far, including those that met a fault. */
  readonly calls: readonly SimulatedCall[];
  /** The number of updates that the bot has not acknowledged. */
  readonly pending: number;
  /**
   * Queues any update, such as the malformed `{ message: 5 }`; returns its number, which `update_id` in the fields
   * overrides only in the update itself.
   */
  update(fields: object): number;
  /** The bot's draft that this person sees now; a draft is no message. */
  draft(user: string): SimulatedDraft | undefined;
  /** Presses the button below the draft; returns the update's id. */
  stop(user: string): number;
  /** The number of button presses that the bot has not answered. */
  readonly unanswered: number;
  /** The menu of commands that an app in this language shows, such as "zh". */
  commands(language: string): readonly SimulatedCommand[];
  /** Whether the bot is shown as typing in this chat. */
  typing(name: string): boolean;
  userId(user: string): number;
  /** The id of the person's private chat, or of the group of this name. */
  chatId(name: string): number;
  /** Plans a fault for future calls; returns a function that cancels it. */
  fail(fault: Fault): () => void;
  /** Closes every connection, including polls. */
  dropSockets(): void;
  close(): Promise<void>;
}

/** A token in the format of @BotFather's that belongs to no bot. */
const TOKEN = "7000000001:SIMULATED-TOKEN-belongs-to-nobody-at";

/** Starts a simulated Telegram. It forgets everything when it is closed. */
export async function startTelegramSimulator(
  options: TelegramSimulatorOptions = {},
): Promise<TelegramSimulator> {
  const {
    token = TOKEN,
    username = "colloquy_bot",
    flood,
    rich = true,
    webhookRetryMs = 1000,
    draftMs = 30_000,
    keep = Number.POSITIVE_INFINITY,
  } = options;
  const bot = { id: Number(token.split(":")[0]), username };
  const chats = createChats(keep);
  const feed = createFeed({ webhookRetryMs });
  const faults = createFaults();
  const calls: SimulatedCall[] = [];
  const presses = new Set<string>();
  const menus: Menus = new Map();
  const limits = { ...REAL_FLOOD_LIMITS, ...(typeof flood === "object" && flood) };
  const unlimited = () => undefined;
  const drafts = createDrafts({
    chats,
    feed,
    rich,
    flood: flood ? createDraftFlood(limits) : unlimited,
    durationMs: draftMs,
  });
  const methods = new Map([
    ...createMethods({
      bot,
      chats,
      feed,
      rich,
      presses,
      menus,
      flood: flood ? createFlood(limits) : unlimited,
    }),
    ...(options.drafts === false ? [] : drafts.methods),
  ]);
  const server = await startApiServer({
    port: options.port ?? 0,
    token,
    methods,
    faults,
    called: (method, payload) => {
      calls.push({ method, payload, at: Date.now() });
      calls.splice(0, Math.max(0, calls.length - keep));
    },
    answered: options.changed,
  });

  return {
    token,
    url: server.url,
    apiRoot: `${server.url}/`,
    calls,
    get pending() {
      return feed.pending;
    },
    ...createPeople({ bot, chats, feed, presses }),
    update: (fields) => feed.add(fields),
    draft: (user) => drafts.shownIn(chats.named(user)),
    stop: (user) => drafts.stop(chats.named(user)),
    get unanswered() {
      return presses.size;
    },
    commands: (language) => menuIn(language, menus),
    typing: (name) => chats.named(name).typingUntil > Date.now(),
    userId: (user) => chats.person(user).id,
    chatId: (name) => chats.named(name).id,
    fail: (fault) => faults.add(fault),
    dropSockets: () => server.dropSockets(),
    close: async () => {
      feed.close();
      await server.close();
    },
  };
}
