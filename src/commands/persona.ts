import type { Command } from "../handler.ts";
import { excerptOf } from "../i18n/excerpt.ts";
import { inEveryLanguage } from "../i18n/texts.ts";
import { choose } from "./choose.ts";

/** `/persona name`: who the bot is in this conversation; without a name the personas to choose from. */
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
        // What came with an imported conversation would win.
        conversation.system = undefined;
        return say("persona.set", { name: found });
      });
    },
  };
}
