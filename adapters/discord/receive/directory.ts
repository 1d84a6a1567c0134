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

/** What Discord tells of its gateway: its address, how many shards there are to be, how many may begin at once. */
export type GatewayInfo = z.infer<typeof schema>;

/** Knows where the gateway is. */
export interface Directory {
  /** Rejects with a `ConfigError` if Discord refuses the token, and with a `PlatformError` if it cannot be reached. */
  ask(): Promise<GatewayInfo>;
  /** The next time Discord is asked anew. */
  forget(): void;
}

/** Shards that are started one right after the other share an answer that is at most this old, in ms. */
const FRESH_MS = 10_000;

/** Asks Discord for its gateway, once for all who want to know at the same time. */
export function createDirectory({ token, api }: { token: string; api: Api }): Directory {
  let answer: Promise<GatewayInfo> | undefined;
  let asked = 0;

  function ask(): Promise<GatewayInfo> {
    if (answer && Date.now() - asked < FRESH_MS) return answer;
    asked = Date.now();
    const asking = fetchInfo(token, api);
    answer = asking;
    asking.catch(() => {
      if (answer === asking) answer = undefined;
    });
    return asking;
  }

  return {
    ask,
    forget: () => {
      answer = undefined;
    },
  };
}

async function fetchInfo(token: string, api: Api): Promise<GatewayInfo> {
  if (!/^[\x21-\x7e]+$/.test(token)) throw refusedToken();
  const action = "tell where its gateway is";
  const json = await api({ method: "GET", route: Routes.gatewayBot(), action }).catch((error: unknown) => {
    throw error instanceof PlatformError && error.code === codes.unauthorized ? refusedToken() : error;
  });
  const { data } = schema.safeParse(json);
  if (data) return data;
  throw new PlatformError(
    "discord_unreachable",
    "Something that is not Discord answered the request for its gateway; check the proxy and the network.",
  );
}
