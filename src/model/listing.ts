import { ModelError } from "../errors.ts";
import { toModelError } from "./failure.ts";
import { ServiceRefusal } from "./refusal.ts";

export interface ListingOptions {
  readonly apiKey: string;
  /** The base URL of any OpenAI-compatible service, including `/v1`; OpenAI's own if absent. */
  readonly baseURL?: string | undefined;
  /** The model that the error names if the service refuses the key. */
  readonly model: string;
}

/** How long to wait for the list, in ms. */
const TIMEOUT_MS = 15_000;

/** The most characters of a list that are read: services with hundreds of models send some hundred kB. */
const MAX_LIST = 4_000_000;

/**
 * Resolves with the names of the models that a service lists, or with undefined if it lists none or cannot be reached.
 * Rejects with a `ModelError` if the service refuses the key.
 */
export async function listModels(
  options: ListingOptions,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const { apiKey, baseURL = "https://api.openai.com/v1", model } = options;
  const url = `${baseURL.replace(/(?<!\/)\/+$/, "")}/models`;
  const service = { model, host: new URL(url).host, key: apiKey };
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${apiKey || "none"}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const body = (await response.text()).slice(0, MAX_LIST);
    if (response.status === 401 || response.status === 403)
      throw toModelError(new ServiceRefusal(response.status, response.headers, body), service);
    return response.ok ? namesIn(body) : undefined;
  } catch (error) {
    if (error instanceof ModelError) throw error;
    return undefined;
  }
}

function namesIn(body: string): string[] | undefined {
  const { data }: { data?: unknown } = JSON.parse(body) as object;
  if (!Array.isArray(data)) return undefined;
  const names = data.flatMap((entry: { id?: unknown } | null) =>
    typeof entry?.id === "string" ? [entry.id] : [],
  );
  return names.length > 0 ? names : undefined;
}
