import type { Command } from "../handler.ts";
import { excerptOf } from "../i18n/excerpt.ts";
import { inEveryLanguage } from "../i18n/texts.ts";
import { choose } from "./choose.ts";

/** `/persona name`: sets the persona of this conversation. Without a name, it lists the personas. */
export function persona(personas: ReadonlyMap<string, string>, fallback: string): Command {
  const names = [...personas.keys()];
  return {
    name: "persona",
    description: inEveryLanguage("persona.description"),
    argument: inEveryLanguage("persona.argument"),
    choices: names,
    run: ({ conversation, event, say }) => {
      const usual = names.find((name) => personas.get(name) === fallback);
      const name = names.find((known) => known === conversation.persona) ?? usual;
      const now =
        conversation.system === undefined && name ? say("persona.now", { name }) : say("persona.own");
      return choose({ command: "persona", names, wanted: event.text, now, silent: event.silent }, (found) => {
        if (!found) return say("persona.unknown", { name: excerptOf(event.text) });
        conversation.persona = found;
        // The system prompt of an imported conversation would take precedence.
        conversation.system = undefined;
        return say("persona.set", { name: found });
      });
    },
  };
}
