import { Routes } from "discord.js";
import { z } from "zod";
import { PlatformError } from "../../../src/errors.ts";
import type { Api } from "../api.ts";
import { codes, refusedToken } from "../errors.ts";

const schema = z.object({
  url: z.string(),
  shards: z.number().int().positive(),
  session_start_limit: z.object({
    total: z.number(),
    remaining: z.number(),
    reset_after: z.number(),
    max_concurrency: z.number().int().positive(),
  }),
});

/** The gateway's address, the recommended number of shards, and the limits for opening sessions. */
export type GatewayInfo = z.infer<typeof schema>;

/** Looks up the gateway. */
export interface Directory {
  /** Rejects with a `ConfigError` if Discord refuses the token, and with a `PlatformError` if it cannot be reached. */
  get(): Promise<GatewayInfo>;
  /** Drops the cached answer. */
  invalidate(): void;
}

/** How long to cache the answer, in ms, so that shards started in a row share it. */
const CACHE_MS = 10_000;

/** Creates a directory that sends one request for all concurrent callers. */
export function createDirectory({ token, api }: { token: string; api: Api }): Directory {
  let answer: Promise<GatewayInfo> | undefined;
  let requestedAt = 0;

  function get(): Promise<GatewayInfo> {
    if (answer && Date.now() - requestedAt < CACHE_MS) return answer;
    requestedAt = Date.now();
    const request = fetchInfo(token, api);
    answer = request;
    request.catch(() => {
      if (answer === request) answer = undefined;
    });
    return request;
  }

  return {
    get,
    invalidate: () => {
      answer = undefined;
    },
  };
}

async function fetchInfo(token: string, api: Api): Promise<GatewayInfo> {
  if (!/^[\x21-\x7e]+$/.test(token)) throw refusedToken();
  const action = "look up the gateway";
  const json = await api({ method: "GET", route: Routes.gatewayBot(), action }).catch((error: unknown) => {
    throw error instanceof PlatformError && error.code === codes.unauthorized ? refusedToken() : error;
  });
  const { data } = schema.safeParse(json);
  if (data) return data;
  throw new PlatformError(
    "discord_unreachable",
    "The answer to the request for Discord's gateway does not come from Discord. Check the proxy and the network.",
  );
}
