import type { Adapter } from "../adapter.ts";
import { isStream, type Reply } from "../handler.ts";
import type { Choice } from "../text/dialect/dialect.ts";

/** What delivery posts of a reply. */
export interface Offered {
  readonly text: string | AsyncIterable<string>;
  /** The choices that become buttons; absent if there are none. */
  readonly choices?: readonly Choice[];
}

/** A reply with its choices as buttons, as far as the platform has room for them; the others become commands to type. */
export function withButtons(reply: Reply, { dialect }: Pick<Adapter, "dialect">): Offered {
  if (typeof reply !== "object" || isStream(reply)) return { text: reply ?? "" };
  const buttons: Choice[] = [];
  const commands: string[] = [];
  for (const choice of reply.choices) {
    if (dialect.buttons?.fits(choice, buttons.length)) buttons.push(choice);
    else commands.push(`- \`/${choice.command} ${choice.text}\``);
  }
  return {
    text: [reply.text, commands.join("\n")].filter(Boolean).join("\n\n"),
    ...(buttons.length > 0 && { choices: buttons }),
  };
}
