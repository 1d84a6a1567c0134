import type { Command } from "../handler.ts";
import { excerptOf } from "../i18n/excerpt.ts";
import { inEveryLanguage } from "../i18n/texts.ts";
import type { Model } from "../model/model.ts";
import { choose } from "./choose.ts";

/** `/model name`: sets the model of this conversation. Without a name, it lists the models. */
export function model(models: readonly [Model, ...Model[]]): Command {
  const names = models.map(({ name }) => name);
  return {
    name: "model",
    description: inEveryLanguage("model.description"),
    argument: inEveryLanguage("model.argument"),
    choices: names,
    run: ({ conversation, event, say }) => {
      const name = names.find((known) => known === conversation.model) ?? models[0].name;
      return choose(
        {
          command: "model",
          names,
          wanted: event.text,
          now: say("model.now", { name }),
          silent: event.silent,
        },
        (found) => {
          if (!found) return say("model.unknown", { name: excerptOf(event.text) });
          conversation.model = found;
          return say("model.set", { name: found });
        },
      );
    },
  };
}
