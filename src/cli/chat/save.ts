import { existsSync } from "node:fs";
import type { Settings } from "../../../config/settings.ts";
import type { Conversation } from "../../conversation/conversation.ts";
import { describeError } from "../../errors.ts";
import { type ExportFormat, print, type Personas } from "../../exchange/export.ts";
import { readUserMessages, toFileMessages, writeUserMessages } from "../../exchange/user-messages.ts";
import { writeWhole } from "../../exchange/write.ts";
import type { Command } from "../../handler.ts";
import { inEveryLanguage } from "../../i18n/texts.ts";
import { one } from "../../program/one.ts";
import { isTaken } from "../../system/owner-only.ts";
import { formatOf, personasOf } from "../exchange.ts";

/** `/save FILE`: writes the conversation to a new file, or into a `user_messages.json` beside the messages of other users. */
export function save(settings: Settings): Command {
  const personas = personasOf(settings);
  return {
    name: "save",
    description: inEveryLanguage("terminal.save.description"),
    argument: inEveryLanguage("terminal.save.argument"),
    run: async ({ conversation, event, say }) => {
      const { id: user } = event.user;
      const day = new Date().toISOString().slice(0, "2026-11-23".length);
      const file = event.text.trim() || `${user.replace(/[^\p{L}\p{N}-]+/gu, "_")}-${day}.md`;
      if (conversation.messages.length === 0) return say("terminal.save.empty");
      const format = formatOf(file);
      if (format !== "json" && isTaken(file)) return say("terminal.save.exists", { file });
      try {
        await write(file, format, { user, conversation, personas });
        return say("terminal.save.done", { file });
      } catch (error) {
        return say("terminal.save.failed", { file, why: describeError(error) });
      }
    },
  };
}

interface UserConversation {
  readonly user: string;
  readonly conversation: Conversation;
  readonly personas: Personas;
}

async function write(
  file: string,
  format: ExportFormat,
  { user, conversation, personas }: UserConversation,
): Promise<void> {
  if (format === "json") return appendUser(file, { user, conversation, personas });
  await writeWhole(file, print(format, one([user, conversation] as const), personas), { replace: false });
}

/** Writes one user's messages into a `user_messages.json`; those of other users stay as they are. */
export async function appendUser(
  file: string,
  { user, conversation, personas }: UserConversation,
): Promise<void> {
  const all = new Map(existsSync(file) ? await readUserMessages(file) : []);
  await writeUserMessages(file, all.set(user, toFileMessages(conversation, personas)));
}
