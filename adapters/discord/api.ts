import { type RawFile, REST, RequestMethod, type RESTOptions } from "discord.js";
import { PlatformError } from "../../src/errors.ts";
import { codes, toPlatformError } from "./errors.ts";

/** How to reach Discord's REST API. */
export interface ApiOptions {
  readonly token: string;
  /** Ends in "/api"; the client appends the version. */
  readonly apiRoot?: string | undefined;
  /** An undici dispatcher, for a proxy. */
  readonly agent?: RESTOptions["agent"] | undefined;
}

interface ApiRequest {
  readonly method: keyof typeof METHODS;
  readonly route: `/${string}`;
  /** What the request does, for error messages: "post a message". */
  readonly action: string;
  readonly body?: unknown;
  /** Files to upload as multipart/form-data. */
  readonly files?: readonly RawFile[];
  readonly query?: URLSearchParams;
  /** False for routes whose URL carries an interaction's token. */
  readonly auth?: boolean;
  /** Time limit in ms; 15 s if absent. */
  readonly timeoutMs?: number;
}

const METHODS = {
  GET: RequestMethod.Get,
  POST: RequestMethod.Post,
  PUT: RequestMethod.Put,
  PATCH: RequestMethod.Patch,
  DELETE: RequestMethod.Delete,
} as const;

/** Sends a request once, without retries; resolves to the JSON answer and rejects with a `PlatformError`. */
export type Api = (request: ApiRequest) => Promise<unknown>;

/** Time limit of a request in ms, from queueing for its rate limit bucket to the last byte of the answer. */
const TIMEOUT_MS = 15_000;

/** How often to drop the expired rate limits of channels, in ms; by default they pile up for an hour. */
const SWEEP_INTERVAL_MS = 60_000;

/** Options of discord.js' REST clients: the adapter's own and the gateway's. */
export function restOptions({ apiRoot, agent }: ApiOptions): Partial<RESTOptions> {
  return {
    // The library would repeat a timed-out POST at once, although Discord may have carried it out.
    retries: 0,
    timeout: TIMEOUT_MS,
    handlerSweepInterval: SWEEP_INTERVAL_MS,
    ...(apiRoot && { api: apiRoot.replace(/(?<!\/)\/+$/, "") }),
    ...(agent && { agent }),
  };
}

/** Creates a client of Discord's REST API. It uses discord.js, which follows the rate limits in Discord's answers. */
export function createApi(options: ApiOptions): Api {
  // A request that waited in the library's queue would post stale text, so it rejects, and delivery decides when to retry.
  const common = { ...restOptions(options), rejectOnRateLimit: () => true };
  const bot = new REST(common).setToken(options.token);
  // The limit of 50 requests a second applies to the bot token; requests with an interaction's token do not count.
  const interactions = new REST({ ...common, globalRequestsPerSecond: Number.POSITIVE_INFINITY });
  return async ({ method, route, action, auth = true, timeoutMs = TIMEOUT_MS, files, ...rest }) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = {
      ...rest,
      ...(files && { files: [...files] }),
      method: METHODS[method],
      fullRoute: route,
      auth,
      signal,
    };
    try {
      const answer = await (auth ? bot : interactions).queueRequest(request);
      return readJson(await answer.text(), action);
    } catch (error) {
      const failure = toPlatformError(error, action);
      // After a 401 the library drops the token and rejects every further request itself.
      if (failure.code === codes.unauthorized) bot.setToken(options.token);
      throw failure;
    }
  };
}

/** Parses an answer. An empty one is valid, regardless of its type; a page with status 200 comes from a captive portal. */
function readJson(text: string, action: string): unknown {
  try {
    return text.trim() ? JSON.parse(text) : undefined;
  } catch {
    throw new PlatformError(
      "discord_unreachable",
      `The answer to the request to ${action} does not come from Discord: it is not JSON. Check the proxy and the network.`,
    );
  }
}
