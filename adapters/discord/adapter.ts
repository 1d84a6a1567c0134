import type { RESTOptions } from "discord.js";
import type { Logger } from "pino";
import { z } from "zod";
import type { Adapter, CommandEntry, Receive } from "../../src/adapter.ts";
import { describeError, PlatformError } from "../../src/errors.ts";
import type { ChatEvent } from "../../src/event.ts";
import { type Api, createApi } from "./api.ts";
import { registerCommands } from "./commands.ts";
import { sorryIn, takeInteraction } from "./deferral.ts";
import { createDiscordDialect, type DiscordBody } from "./dialect.ts";
import { codes } from "./errors.ts";
import { type InteractionEvent, toInteractionEvent, toMessageEvent } from "./events.ts";
import { createGateway, type Dispatch } from "./gateway.ts";
import { createMemory, type Keep, type Seen } from "./memory.ts";
import {
  edit,
  readAddress,
  recover,
  remove,
  sendFile,
  sendPage,
  typing,
  userInstallOnly,
} from "./messages.ts";
import { createMissed, type Missed } from "./missed.ts";

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
  /** Keeps where the gateway stands, so that what is said while the process is down is answered. */
  readonly session?: Keep;
}

/** One time between `start` and `stop`. */
interface Intake {
  readonly receive: Receive;
  /** The commands that Discord should offer. */
  readonly menu: readonly CommandEntry[];
  readonly missed: Missed;
  readonly ended: AbortSignal;
  registered: boolean;
}

/** The channel's historic bucket is 5 writes in 5 s, edits included; all requests together may be 50 a second. */
const PACE = { direct: 1200, group: 1200, overall: 25 };
/** In channels there is no limit: so many messages are enough of scrolling. */
const FILE_AFTER = 20;
/** Five follow-ups, one of them with the file, and the original response (API docs, "Receiving and Responding"). */
const USER_INSTALL_PAGES = 5;

const readySchema = z.object({
  application: z.object({ id: z.string() }).optional(),
  user: z.object({ id: z.string() }).optional(),
});

/** Talks with people on Discord: in direct messages and by slash commands. */
export function createDiscord(options: DiscordOptions): Adapter<DiscordBody> {
  const { log, fileAfter = FILE_AFTER } = options;
  const token = options.token.trim().replace(/^Bot\s+/i, "");
  const { api, refusal } = watchToken(createApi({ ...options, token }));
  // The first part of a token is the bot's id, which is no secret.
  const memory = createMemory({ bot: token.split(".")[0] ?? "", keep: options.session, log });
  const gateway = createGateway({ ...options, token, memory });
  let halt = new AbortController();

  return {
    name: "discord",
    dialect: createDiscordDialect(),
    pace: options.pace ?? PACE,
    start,
    stop: async () => {
      halt.abort();
      await gateway.stop();
      await memory.close();
    },
    trouble: () => gateway.trouble() ?? refusal(),
    send: async (to, page, key) => sendPage(api, readAddress(to), { page, key }),
    recover: async (to, body, after) => recover(api, readAddress(to), { body, after }),
    edit: async (to, ref, body) => edit(api, readAddress(to), { ref, body }),
    remove: async (to, ref) => remove(api, readAddress(to), ref),
    mostPages: (to) =>
      userInstallOnly(readAddress(to)) ? Math.min(fileAfter, USER_INSTALL_PAGES) : fileAfter,
    sendFile: async (to, file, key) => sendFile(api, readAddress(to), { file, key }),
    typing: async (to) => typing(api, readAddress(to)),
  };

  async function start(receive: Receive, menu: readonly CommandEntry[]): Promise<void> {
    const { signal: ended } = (halt = new AbortController());
    await memory.load();
    if (ended.aborted) return;
    const take = (event: ChatEvent) => takeMessage(event, receive);
    const missed = createMissed({ api, memory, take, signal: ended, log });
    const intake: Intake = { receive, menu, missed, ended, registered: false };
    await gateway.start((dispatch) => onDispatch(dispatch, intake));
  }

  function onDispatch({ type, payload, taken }: Dispatch, intake: Intake): void {
    const message = type === "MESSAGE_CREATE" ? toMessageEvent(payload) : undefined;
    const interaction = type === "INTERACTION_CREATE" ? toInteractionEvent(payload) : undefined;
    if (message) return void onMessage(message, intake, taken);
    if (interaction) return void onInteraction(interaction, intake, taken);
    if (type === "READY" || type === "RESUMED") onConnected(payload, intake);
    taken();
  }

  function onConnected(payload: unknown, intake: Intake): void {
    const application = applicationOf(payload);
    if (application) memory.setApplication(application);
    const known = memory.application();
    if (known && (application || !intake.registered)) {
      intake.registered = true;
      void registerCommands({ api, application: known, menu: intake.menu, log });
    }
    void intake.missed.fetchAll();
  }

  async function onMessage(event: ChatEvent, intake: Intake, taken: Dispatch["taken"]): Promise<void> {
    const missed = intake.missed.before(event.chat.id);
    // Without a pause where nothing was missed: what comes later, such as a slash command, stays behind it.
    if (missed) await missed;
    // What was said before it is not taken in: then this waits for the next start too.
    if (intake.ended.aborted) return;
    await takeMessage(event, intake.receive);
    taken(seenWith(event));
  }

  async function onInteraction(
    interaction: InteractionEvent,
    { receive, missed, ended }: Intake,
    taken: Dispatch["taken"],
  ): Promise<void> {
    const { event } = interaction;
    await takeInteraction(interaction, { receive, api, log });
    if (event.chat.kind === "group") return taken();
    await missed.before(event.chat.id);
    if (!ended.aborted) taken(seenWith(event));
  }

  async function takeMessage(event: ChatEvent, receive: Receive): Promise<void> {
    try {
      await receive(event);
    } catch (error) {
      log?.error(`A direct message could not be stored: ${describeError(error)}`);
      const page = { content: sorryIn(event.user.locale) };
      await sendPage(api, readAddress(event.to), { page, key: `${event.id}#lost` }).catch(
        (failure: unknown) => log?.warn(describeError(failure)),
      );
    }
  }
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

function seenWith({ id, chat }: ChatEvent): Seen {
  return { channel: chat.id, message: id.replace(/^discord:/, "") };
}

function applicationOf(ready: unknown): string | undefined {
  const { application, user } = readySchema.safeParse(ready).data ?? {};
  // The bot's own id is the application's, but for the oldest bots.
  return application?.id ?? user?.id;
}
