import type { ChatEvent } from "../event.ts";
import type { Choice } from "../text/dialect/dialect.ts";
import type { Conversation, History, Outbox, PostedMessage } from "./conversation.ts";

/** What one turn writes into the record of its conversation. */
export interface TurnRecord {
  /** What the handlers change; saved together with the whole answer. */
  readonly draft: Conversation;
  /** The answer on its way out, as it was last saved. */
  readonly outbox: Outbox;
  /** Saves which messages are posted and, if one more is about to be sent, what it is newer than. */
  readonly posted: (messages: readonly PostedMessage[], sending: string | undefined) => Promise<void>;
  /** Saves the whole answer, and with it what the handlers have changed. */
  commit(text: string, choices: readonly Choice[] | undefined): Promise<void>;
  /** Saves that the event is answered: its answer is posted in full. */
  close(): Promise<void>;
}

/** Begins the record of a turn, or continues the one of a run that died. */
export function openTurnRecord(
  conversation: Conversation,
  { event, history }: { readonly event: ChatEvent; readonly history: History },
): TurnRecord {
  const resumed = conversation.outbox?.event === event.id ? conversation.outbox : undefined;
  const draft = structuredClone(conversation);
  let saved = conversation;
  let outbox: Outbox = resumed ?? { event: event.id, shown: placeholderOf(event) };
  let { revision } = conversation;
  const save = (next: Conversation) => history.save({ ...next, revision: (revision += 1) });
  return {
    draft,
    get outbox() {
      return outbox;
    },
    posted: async (messages, sending) => {
      outbox = { ...outbox, shown: [...messages], sending };
      await save({ ...saved, outbox });
    },
    commit: async (text, choices) => {
      saved = draft;
      outbox = { ...outbox, text, ...(choices && { choices }) };
      await save({ ...saved, outbox });
    },
    close: () =>
      save({
        ...saved,
        outbox: undefined,
        answered: [...saved.answered, event.id],
        last: outbox.shown.at(-1)?.ref ?? saved.last,
      }),
  };
}

/** The message that the platform already shows in place of the answer, if there is one. */
export function placeholderOf({ placeholder }: ChatEvent): PostedMessage[] {
  return placeholder ? [{ ref: placeholder, digest: "" }] : [];
}
