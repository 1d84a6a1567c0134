import type { RESTOptions } from "discord.js";
import type { Logger } from "pino";
import type { Adapter } from "../../src/adapter.ts";
import { PlatformError } from "../../src/errors.ts";
import { type Api, createApi } from "./api.ts";
import { createDiscordDialect, type DiscordBody } from "./dialect/dialect.ts";
import { codes } from "./errors.ts";
import { createIntake } from "./receive/partitions.ts";
import type { Keep } from "./receive/memory.ts";
import {
  edit,
  readAddress,
  recover,
  remove,
  sendFile,
  sendPage,
  typing,
  userInstallOnly,
} from "./send/messages.ts";

/** How the Discord adapter is set up. */
export interface DiscordOptions {
  /** The bot's token, from the Developer Portal. */
  readonly token: string;
  /** The API without its version, such as "http://127.0.0.1:1234/api"; Discord's own if absent. */
  readonly apiRoot?: string;
  /** An undici dispatcher for requests, if a proxy is set. */
  readonly agent?: RESTOptions["agent"];
  readonly log?: Pick<Logger, "info" | "warn" | "error">;
  /** The least time between two writes of a growing answer, in ms. */
  readonly pace?: Adapter["pace"];
  /** So many messages of an answer come before the rest comes as a file; 20 if absent. */
  readonly fileAfter?: number;
  /**
   * The places, by name, for where the gateway's shards stand, so that what is said while the process is down is
   * answered, by the next one or by another one.
   */
  readonly sessions?: (name: string) => Keep;
}

/** The channel's historic bucket is 5 writes in 5 s, edits included; all requests together may be 50 a second. */
const PACE = { direct: 1200, group: 1200, overall: 25 };
/** In channels there is no limit: so many messages are enough of scrolling. */
const FILE_AFTER = 20;
/** Five follow-ups, one of them with the file, and the original response (API docs, "Receiving and Responding"). */
const USER_INSTALL_PAGES = 5;

/** Talks with people on Discord: in direct messages and by slash commands. */
export function createDiscord(options: DiscordOptions): Adapter<DiscordBody> {
  const { fileAfter = FILE_AFTER } = options;
  const token = options.token.trim().replace(/^Bot\s+/i, "");
  const { api, refusal } = watchToken(createApi({ ...options, token }));
  const intake = createIntake({ ...options, token, api });

  return {
    name: "discord",
    dialect: createDiscordDialect(),
    pace: options.pace ?? PACE,
    start: intake.start,
    stop: intake.stop,
    cluster: { partitions: intake.partitions },
    health: () => intake.health() ?? refusal(),
    send: async (to, page, key) => sendPage(api, readAddress(to), { page, key }),
    recovery: { find: async (to, body, after) => recover(api, readAddress(to), { body, after }) },
    edit: async (to, ref, body) => edit(api, readAddress(to), { ref, body }),
    remove: async (to, ref) => remove(api, readAddress(to), ref),
    files: {
      maxPages: (to) =>
        userInstallOnly(readAddress(to)) ? Math.min(fileAfter, USER_INSTALL_PAGES) : fileAfter,
      send: async (to, file, key) => sendFile(api, readAddress(to), { file, key }),
    },
    typing: async (to) => typing(api, readAddress(to)),
  };
}

/** The API, and what Discord said of the token when it last was asked something. */
function watchToken(bare: Api): { api: Api; refusal: () => string | undefined } {
  let refusal: string | undefined;
  const api: Api = async (request) => {
    try {
      const answer = await bare(request);
      if (request.auth !== false) refusal = undefined;
      return answer;
    } catch (error) {
      if (error instanceof PlatformError && error.code === codes.unauthorized) refusal = error.message;
      throw error;
    }
  };
  return { api, refusal: () => refusal };
}
