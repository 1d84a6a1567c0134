import { randomBytes } from "node:crypto";
import { type Channel, type Entry, EPHEMERAL, type Interaction } from "./entries.ts";
import type { MessageBody } from "./rest/body.ts";
import { refusals } from "./rest/refusal.ts";

/** The limits of interactions, and the operations on messages that they use. */
export interface InteractionsOptions {
  readonly clock: () => number;
  /** How long a slash command waits for its first response, in ms. */
  readonly responseMs: number;
  /** Lifetime of an interaction's token, in ms. */
  readonly tokenMs: number;
  readonly nextId: () => string;
  readonly add: (channel: Channel, entry: Partial<Entry>) => Entry;
  readonly write: (channel: Channel, body: MessageBody, more: Partial<Entry>) => Entry;
  readonly edit: (channel: Channel, entry: Entry, body: MessageBody) => Entry;
  readonly message: (channel: Channel, id: string) => Entry;
}

/** Most follow-ups of an app that only the user installed (API docs, "Receiving and Responding"). */
const MAX_USER_INSTALL_FOLLOWUPS = 5;

/** Creates the interactions of a world: responses, and messages by webhook. */
export function createInteractions(options: InteractionsOptions) {
  const { clock, responseMs, tokenMs, nextId, add, write, edit, message } = options;
  const interactions = new Map<string, Interaction>();

  function openInteraction(of: Pick<Interaction, "person" | "channel" | "userInstallOnly">): Interaction {
    const token = randomBytes(120).toString("base64url");
    const interaction = { ...of, id: nextId(), token, at: clock(), original: undefined, followups: 0 };
    interactions.set(token, interaction);
    return interaction;
  }

  /** "Create Interaction Response", types 4 (message) and 5 (deferral): once, and in time. */
  function respond(id: string, token: string, { type, body }: { type: number; body: MessageBody }): Entry {
    const interaction = interactions.get(token);
    if (interaction?.id !== id) throw refusals.unknownInteraction();
    if (interaction.original) throw refusals.acknowledged();
    if (clock() - interaction.at > responseMs) throw refusals.unknownInteraction();
    const { channel } = interaction;
    interaction.original =
      type === 5
        ? add(channel, { thinking: true, interaction, flags: body.flags & EPHEMERAL })
        : write(channel, body, { interaction });
    return interaction.original;
  }

  /** The interaction of a webhook URL, which exists from the first response until the token expires. */
  function webhook(token: string): { interaction: Interaction; channel: Channel; original: Entry } {
    const interaction = interactions.get(token);
    if (!interaction?.original) throw refusals.unknownWebhook();
    if (clock() - interaction.at > tokenMs) throw refusals.expiredToken();
    return { interaction, channel: interaction.channel, original: interaction.original };
  }

  /** "Create Followup Message". The first one after a deferral replaces the deferral. */
  function followUp(token: string, body: MessageBody): Entry {
    const { interaction, channel, original } = webhook(token);
    if (original.thinking) return edit(channel, original, body);
    if (interaction.userInstallOnly && interaction.followups >= MAX_USER_INSTALL_FOLLOWUPS)
      throw refusals.tooManyFollowups();
    const entry = write(channel, body, { interaction });
    interaction.followups++;
    return entry;
  }

  function webhookMessage(token: string, id: string): { channel: Channel; entry: Entry } {
    const { channel, original } = webhook(token);
    const entry = message(channel, id === "@original" ? original.id : id);
    if (entry.interaction?.token !== token) throw refusals.unknownMessage();
    return { channel, entry };
  }

  /** Whether a slash command got no response in time; the user then reads "The application did not respond". */
  function unanswered({ original, at }: Interaction): boolean {
    return !original && clock() - at > responseMs;
  }

  return { openInteraction, respond, webhook, followUp, webhookMessage, unanswered };
}
