import { findPersona, loadPersonas } from "../../config/personas.ts";
import type { Settings } from "../../config/settings.ts";
import type { Log } from "../log.ts";
import { createModels } from "./models.ts";

/** The options of every conversation: the models, the personas, and how much history is remembered. */
export function chatOptions(settings: Settings, log: Log) {
  const { HISTORY_HOURS: hours, HISTORY_MESSAGES: messages, HISTORY_TOKENS: tokens } = settings;
  const personas = loadPersonas();
  return {
    model: createModels(settings, log),
    persona: findPersona(personas, settings.PERSONA),
    personas,
    limits: {
      messages,
      tokens,
      ageMs: hours && hours * 3_600_000,
      policy: settings.HISTORY_POLICY,
    },
    currency: settings.CURRENCY,
  };
}
