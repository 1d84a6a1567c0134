import type { Fields, Method } from "./api/method.ts";
import { writeChat } from "./api/write.ts";
import type { SimulatedChat, SimulatedDraft } from "./chat.ts";
import type { Chats } from "./chats.ts";
import { badRequest } from "./refusal.ts";
import { readRichMessage } from "./rich/blocks.ts";
import { plainBlocks } from "./rich/rich.ts";
import { readText } from "./text.ts";
import type { Feed } from "./updates/feed.ts";

/** The drafts of all private chats. */
export interface Drafts {
  /** The methods of the Bot API, by name in lower case. */
  readonly methods: ReadonlyMap<string, Method>;
  shownIn(chat: SimulatedChat): SimulatedDraft | undefined;
  /** Presses the button below the draft; returns the update's id. */
  stop(chat: SimulatedChat): number;
}

interface DraftsOptions {
  readonly chats: Chats;
  readonly feed: Feed;
  /** Whether rich drafts are supported (Bot API 10.1). */
  readonly rich: boolean;
  /** Throws a `Refusal` if there are too many drafts. */
  readonly flood: (chat: SimulatedChat) => void;
  /** How long a draft is shown, in ms. */
  readonly durationMs: number;
}

/** Creates Telegram's drafts. They are never stored, and disappear after a while or when a message arrives. */
export function createDrafts({ chats, feed, rich, flood, durationMs }: DraftsOptions): Drafts {
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
      until: Date.now() + durationMs,
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
      if (!draft?.canStop) throw new Error(`${chat.name} sees no draft that can be stopped`);
      chat.draft = draft.keepOnStop ? { ...draft, canStop: false } : undefined;
      const { id, thread } = draft;
      return feed.add({
        stopped_message_generation: {
          chat: writeChat(chat),
          // A string, although it is documented as a number (telegram-bot-api, JsonMessageGenerationStopped).
          draft_id: String(id),
          ...(thread !== undefined && { message_thread_id: thread }),
        },
      });
    },
  };
}

type Content = Pick<SimulatedDraft, "text" | "entities" | "rich">;

/** A draft without text shows that the bot is thinking. */
function readPlain(fields: Fields): Content {
  const { text = "" } = fields;
  const isBlank = typeof text === "string" && /^[ \n]*$/.test(text);
  return isBlank ? { text: "Thinking…", entities: [] } : readText(fields);
}

function readRich(fields: Fields): Content {
  const rich = readRichMessage(fields["rich_message"]);
  return { text: plainBlocks(rich.blocks), entities: [], rich };
}
