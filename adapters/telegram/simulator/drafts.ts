import type { Chats, SimulatedChat } from "./chats.ts";
import type { SimulatedEntity } from "./entities.ts";
import type { Feed } from "./feed.ts";
import type { Fields, Method } from "./methods.ts";
import { badRequest } from "./refusal.ts";
import { readBlocksAloud, type SimulatedRich } from "./rich/rich.ts";
import { readRichMessage } from "./rich/blocks.ts";
import { readText } from "./text.ts";

/** What the bot is writing, as a person sees it below the chat. */
export interface SimulatedDraft {
  readonly id: number;
  /** How it reads. */
  readonly text: string;
  readonly entities: readonly SimulatedEntity[];
  readonly rich?: SimulatedRich;
  /** Whether there is a button to stop it. */
  readonly canStop: boolean;
  /** Whether it stays for a while when the button is pressed. */
  readonly keepOnStop: boolean;
  readonly thread?: number;
  /** Until when it is shown, in ms since the epoch. */
  readonly until: number;
}

/** The drafts of all private chats. */
export interface Drafts {
  /** By their names in lower case. */
  readonly methods: ReadonlyMap<string, Method>;
  shownIn(chat: SimulatedChat): SimulatedDraft | undefined;
  /** The person presses the button; returns the update's id. */
  stop(chat: SimulatedChat): number;
}

interface DraftsOptions {
  readonly chats: Chats;
  readonly feed: Feed;
  /** Whether rich drafts are known (Bot API 10.1). */
  readonly rich: boolean;
  /** Throws if there are too many. */
  readonly flood: (chat: SimulatedChat) => void;
  /** How long one is shown, in ms. */
  readonly lastsMs: number;
}

/** Drafts as Telegram shows them: never stored, gone after a while or when a message comes. */
export function createDrafts({ chats, feed, rich, flood, lastsMs }: DraftsOptions): Drafts {
  const show = (fields: Fields, content: Content): true => {
    const chat = chats.writable(fields["chat_id"]);
    if (chat.type !== "private") throw badRequest("TEXTDRAFT_PEER_INVALID");
    const id = Number(fields["draft_id"] ?? 0);
    if (!Number.isSafeInteger(id) || id === 0) throw badRequest("RANDOM_ID_INVALID");
    flood(chat);
    const thread = fields["message_thread_id"];
    chat.draft = {
      id,
      ...content,
      canStop: fields["can_stop"] === true,
      keepOnStop: fields["keep_on_stop"] === true,
      ...(thread !== undefined && { thread: Number(thread) }),
      until: Date.now() + lastsMs,
    };
    return true;
  };
  const shownIn = (chat: SimulatedChat) =>
    chat.draft && chat.draft.until > Date.now() ? chat.draft : undefined;

  return {
    methods: new Map<string, Method>([
      ["sendmessagedraft", (fields) => show(fields, readPlain(fields))],
      ...(rich
        ? [["sendrichmessagedraft", (fields: Fields) => show(fields, readRich(fields))] as const]
        : []),
    ]),
    shownIn,
    stop: (chat) => {
      const draft = shownIn(chat);
      if (!draft?.canStop) throw new Error(`nothing that ${chat.name} sees can be stopped`);
      chat.draft = draft.keepOnStop ? { ...draft, canStop: false } : undefined;
      const { id, thread } = draft;
      return feed.add({
        stopped_message_generation: {
          chat: { id: chat.id, type: chat.type, first_name: chat.name },
          // As text, though the documentation says that it is a number (telegram-bot-api, JsonMessageGenerationStopped).
          draft_id: String(id),
          ...(thread !== undefined && { message_thread_id: thread }),
        },
      });
    },
  };
}

type Content = Pick<SimulatedDraft, "text" | "entities" | "rich">;

/** Without words it says that the bot is thinking. */
function readPlain(fields: Fields): Content {
  const { text = "" } = fields;
  const isBlank = typeof text === "string" && /^[ \n]*$/.test(text);
  return isBlank ? { text: "Thinking…", entities: [] } : readText(fields);
}

function readRich(fields: Fields): Content {
  const rich = readRichMessage(fields["rich_message"]);
  return { text: readBlocksAloud(rich.blocks), entities: [], rich };
}
