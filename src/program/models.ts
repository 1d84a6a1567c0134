import type { Settings } from "../../config/settings.ts";
import { describeError, type ModelError } from "../errors.ts";
import type { Log } from "../log.ts";
import { createDemoModel } from "../model/demo/demo.ts";
import { createFallback } from "../model/fallback.ts";
import { listModels } from "../model/listing.ts";
import type { Model } from "../model/model.ts";
import { createOpenAI } from "../model/openai.ts";

/**
 * Logs a warning for each configured model that the service does not list, and an error if it refuses the key. The signal
 * cancels it.
 */
export async function checkModels(settings: Settings, log: Log, signal: AbortSignal): Promise<void> {
  const { OPENAI_API_KEY: apiKey = "", OPENAI_BASE_URL: baseURL, OPENAI_MODEL: model } = settings;
  if (!apiKey && !baseURL) return;
  try {
    const listed = await listModels({ apiKey, baseURL, model }, signal);
    if (!listed) return;
    for (const [setting, names] of Object.entries(namesIn(settings)))
      for (const name of names.filter((each) => !listed.includes(each))) {
        log.warn(
          { setting, listed: listed.length },
          `the service does not list the model ${name} (${setting}): check its name${suggest(name, listed)}`,
        );
      }
  } catch (error) {
    log.error({ code: (error as ModelError).code }, describeError(error));
  }
}

function namesIn({ OPENAI_MODEL, OPENAI_MODELS, OPENAI_FALLBACK_MODEL }: Settings) {
  return {
    OPENAI_MODEL: [OPENAI_MODEL],
    OPENAI_MODELS: Object.keys(OPENAI_MODELS).filter((name) => name !== OPENAI_MODEL),
    OPENAI_FALLBACK_MODEL: OPENAI_FALLBACK_MODEL ? [OPENAI_FALLBACK_MODEL] : [],
  };
}

/** Suggests listed names that begin alike: most typos are at the end of a name. */
function suggest(name: string, listed: readonly string[]): string {
  const begin = name.toLowerCase().split(/[-:/.]/)[0] ?? "";
  const alike = listed.filter((each) => each.toLowerCase().includes(begin)).slice(0, 8);
  return alike.length > 0 && begin ? `; similar names are ${alike.join(", ")}` : "";
}

/** Creates the models that the settings name, the usual one first; if no service is configured, the demo model. */
export function createModels(settings: Settings, log: Log): readonly [Model, ...Model[]] {
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseURL } = settings;
  if (!apiKey && !baseURL) {
    log.warn("OPENAI_API_KEY and OPENAI_BASE_URL are not set: the offline demo model answers");
    return [createDemoModel()];
  }
  const { OPENAI_FALLBACK_MODEL: fallback } = settings;
  const second = fallback ? named(fallback) : undefined;
  const model = (name: string) => {
    const first = named(name);
    return second && second.name !== name ? createFallback({ first, second, log }) : first;
  };
  const usual = settings.OPENAI_MODEL;
  const others = Object.keys(settings.OPENAI_MODELS).filter((name) => name !== usual);
  return [model(usual), ...others.map(model)];

  function named(model: string): Model {
    const { context = settings.OPENAI_CONTEXT_TOKENS, input, output } = settings.OPENAI_MODELS[model] ?? {};
    return createOpenAI({
      // Local services need no key, but the client requires one.
      apiKey: apiKey ?? "none",
      model,
      maxCompletionTokens: settings.OPENAI_MAX_COMPLETION_TOKENS,
      log,
      ...(context !== undefined && { contextTokens: context }),
      ...(input !== undefined && output !== undefined && { price: { input, output } }),
      ...(baseURL && { baseURL }),
    });
  }
}
