import { type RawFile, REST, RequestMethod, type RESTOptions } from "discord.js";
import { PlatformError } from "../../src/errors.ts";
import { codes, toPlatformError } from "./errors.ts";

/** How Discord's REST API is reached. */
export interface ApiOptions {
  readonly token: string;
  /** With "/api"; the version is added. */
  readonly apiRoot?: string | undefined;
  /** An undici dispatcher, for a proxy. */
  readonly agent?: RESTOptions["agent"] | undefined;
}

/** One request. */
interface ApiRequest {
  readonly method: keyof typeof METHODS;
  readonly route: `/${string}`;
  /** What is being done, for errors: "post a message". */
  readonly action: string;
  readonly body?: unknown;
  /** Sent along as multipart/form-data. */
  readonly files?: readonly RawFile[];
  readonly query?: URLSearchParams;
  /** False for routes that carry an interaction's token. */
  readonly auth?: boolean;
  /** The longest it may take in ms. */
  readonly timeoutMs?: number;
}

const METHODS = {
  GET: RequestMethod.Get,
  POST: RequestMethod.Post,
  PUT: RequestMethod.Put,
  PATCH: RequestMethod.Patch,
  DELETE: RequestMethod.Delete,
} as const;

/** Makes one request, once; resolves to the JSON and rejects with a `PlatformError`. */
export type Api = (request: ApiRequest) => Promise<unknown>;

/** From waiting for our turn in a bucket to the last byte of the answer, in ms. */
const TIMEOUT_MS = 15_000;

/** How often what is kept of each channel's rate limit is forgotten where it is over, in ms: by default it piles up for an hour. */
const FORGET_EVERY_MS = 60_000;

/** Options of discord.js' REST client, for the adapter's own and for the gateway's. */
export function restOptions({ apiRoot, agent }: ApiOptions): Partial<RESTOptions> {
  return {
    // The library would repeat a timed-out POST at once, though it may have been delivered.
    retries: 0,
    timeout: TIMEOUT_MS,
    handlerSweepInterval: FORGET_EVERY_MS,
    ...(apiRoot && { api: apiRoot.replace(/(?<!\/)\/+$/, "") }),
    ...(agent && { agent }),
  };
}

/** Discord's REST API by discord.js' client, which keeps to the rate limits that the answers tell. */
export function createApi(options: ApiOptions): Api {
  // Rejecting leaves it to delivery when to try again, and with which text: a waiting edit would be stale.
  const common = { ...restOptions(options), rejectOnRateLimit: () => true };
  const bot = new REST(common).setToken(options.token);
  // The limit of 50 requests a second is the bot token's; interactions do not count.
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
      // The library forgets a token that was refused once, and then refuses everything by itself.
      if (failure.code === codes.unauthorized) bot.setToken(options.token);
      throw failure;
    }
  };
}

/** An empty answer is fine, whatever type it claims. A captive portal answers 200 with a page: that is not Discord. */
function readJson(text: string, action: string): unknown {
  try {
    return text.trim() ? JSON.parse(text) : undefined;
  } catch {
    throw new PlatformError(
      "discord_unreachable",
      `Something that is not Discord answered the request to ${action}; check the proxy and the network.`,
    );
  }
}
