import type { RESTOptions } from "discord.js";
import type { AdapterLog } from "../../src/log.ts";
import type { Adapter } from "../../src/adapter.ts";
import { PlatformError } from "../../src/errors.ts";
import { type Api, createApi } from "./api.ts";
import { createDiscordDialect, type DiscordBody } from "./dialect/dialect.ts";
import { codes } from "./errors.ts";
import { createPartitions } from "./receive/partitions.ts";
import type { StoredValue } from "./receive/sessions.ts";
import { isUserInstallOnly, readAddress } from "./send/address.ts";
import { edit, remove } from "./send/edits.ts";
import { sendFile, sendPage, typing } from "./send/messages.ts";
import { recover } from "./send/recovery.ts";

/** Options of the Discord adapter. */
export interface DiscordOptions {
  /** The bot's token, from the Developer Portal. */
  readonly token: string;
  /** Root of the API without the version, such as "http://127.0.0.1:1234/api"; Discord's own if absent. */
  readonly apiRoot?: string;
  /** An undici dispatcher for requests through a proxy. */
  readonly agent?: RESTOptions["agent"];
  readonly log?: AdapterLog;
  /** Minimum time between two writes, in ms. */
  readonly pace?: Adapter["pace"];
  /** How many messages an answer may fill; a longer one also comes as a file. 20 if absent. */
  readonly fileAfter?: number;
  /**
   * Opens a stored value by name. Each shard saves its gateway session there, so that messages sent while the process
   * is down are answered by the next process. Without it they are lost.
   */
  readonly sessions?: (name: string) => StoredValue;
}

/** A channel accepts 5 writes in 5 s, edits included, and the API 50 requests a second in total. */
const PACE = { direct: 1200, group: 1200, overall: 25 };
/** Channels have no limit; more messages than this are tedious to scroll through. */
const FILE_AFTER = 20;
/** The original response and 5 follow-ups, less one for the file (API docs, "Receiving and Responding"). */
const USER_INSTALL_PAGES = 5;

/** Creates the adapter for Discord: direct messages and slash commands. */
export function createDiscord(options: DiscordOptions): Adapter<DiscordBody> {
  const { fileAfter = FILE_AFTER } = options;
  const token = options.token.trim().replace(/^Bot\s+/i, "");
  const { api, refusal } = watchToken(createApi({ ...options, token }));
  const partitions = createPartitions({ ...options, token, api });

  return {
    name: "discord",
    dialect: createDiscordDialect(),
    pace: options.pace ?? PACE,
    start: partitions.start,
    stop: partitions.stop,
    cluster: { partitions: partitions.list },
    health: () => partitions.health() ?? refusal(),
    send: async (to, page, key) => sendPage(api, readAddress(to), { page, key }),
    recovery: { find: async (to, body, after) => recover(api, readAddress(to), { body, after }) },
    edit: async (to, ref, body) => edit(api, readAddress(to), { ref, body }),
    remove: async (to, ref) => remove(api, readAddress(to), ref),
    files: {
      maxPages: (to) =>
        isUserInstallOnly(readAddress(to)) ? Math.min(fileAfter, USER_INSTALL_PAGES) : fileAfter,
      send: async (to, file, key) => sendFile(api, readAddress(to), { file, key }),
    },
    typing: async (to) => typing(api, readAddress(to)),
  };
}

/** Wraps the API so that health reports the token as refused from a 401 until the next request succeeds. */
function watchToken(inner: Api): { api: Api; refusal: () => string | undefined } {
  let refusal: string | undefined;
  const api: Api = async (request) => {
    try {
      const answer = await inner(request);
      if (request.auth !== false) refusal = undefined;
      return answer;
    } catch (error) {
      if (error instanceof PlatformError && error.code === codes.unauthorized) refusal = error.message;
      throw error;
    }
  };
  return { api, refusal: () => refusal };
}
