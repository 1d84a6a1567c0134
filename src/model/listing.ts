import { ModelError } from "../errors.ts";
import { explain, Refusal } from "./failure.ts";

export interface ListingOptions {
  readonly apiKey: string;
  /** Of any OpenAI-compatible service, `/v1` included; OpenAI's own if absent. */
  readonly baseURL?: string | undefined;
  /** The one that is spoken of where the key is refused. */
  readonly model: string;
}

/** A service that has not answered by then is not asked any longer, in ms. */
const TIMEOUT_MS = 15_000;

/** So much of a list is read, in bytes: hosts of hundreds of models send some hundred kB. */
const MAX_READ = 4_000_000;

/**
 * The names of the models that a service lists; undefined if it lists none, or cannot be asked now. Rejects with a
 * `ModelError` if it refuses the key.
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
    const body = (await response.text()).slice(0, MAX_READ);
    if (response.status === 401 || response.status === 403)
      throw explain(new Refusal(response.status, response.headers, body), service);
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
