import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { type Channel, type Entry, isCommand, isPublic } from "./entries.ts";
import { createFaults, type Fault } from "./faults.ts";
import { createGateway, type Gateway, PRIVILEGED_INTENTS } from "./gateway.ts";
import { idOf } from "./ids.ts";
import { type Bot, guildOf, messageJson, userJson } from "./payloads.ts";
import type { RegisteredCommand } from "./rest/commands.ts";
import { createLimiter } from "./rest/limiter.ts";
import { type Call, createRest } from "./rest/rest.ts";
import { closeServer, createLocalServer, listen, type LocalServer, portOf } from "./server.ts";
import { type AskOptions, createUsers, type Shown } from "./users.ts";
import { createWorld } from "./world.ts";

export type { AskOptions, Call, Fault, Shown };

/** Options of the simulated Discord; the defaults are the limits of the real one. */
export interface DiscordSimulatorOptions {
  /** Any free port if 0 or absent. */
  readonly port?: number;
  readonly token?: string;
  /** The current time, in ms since the epoch; `Date.now` if absent. */
  readonly clock?: () => number;
  /** How long a slash command waits for its first response, in ms; 3 s if absent. */
  readonly responseMs?: number;
  /** Lifetime of an interaction's token, in ms; 15 min if absent. */
  readonly tokenMs?: number;
  /** Heartbeat interval of the gateway, in ms; 41.25 s if absent. */
  readonly heartbeatMs?: number;
  /** Intents that the bot may request; all except the privileged ones if absent. */
  readonly allowedIntents?: number;
  /** Largest file that may be sent, in bytes; 10 MiB if absent. */
  readonly fileBytes?: number;
  /**
   * Whether to enforce rate limits: status 429 beyond 5 writes in 5 s to a channel or 50 requests in 1 s, and "invalid
   * session" for a session opened less than 5 s after another. Off if absent.
   */
  readonly rateLimits?: boolean;
  /** Recommended number of shards; 1 if absent. */
  readonly shards?: number;
  /** How many shards may open a session at the same time (`max_concurrency`); 1 if absent. */
  readonly maxConcurrency?: number;
  /** Host under which bots reach the gateway, such as a proxy's; 127.0.0.1 and the port if absent. */
  readonly host?: string;
  /** How many of the latest calls, and of the latest lines of each channel, to keep; all if absent. */
  readonly keep?: number;
  /** Called after each answered request, when screens may have changed. */
  readonly changed?: () => void;
}

/** Simulates Discord's servers on 127.0.0.1, with their limits, errors and close codes. */
export interface DiscordSimulator {
  readonly token: string;
  readonly applicationId: string;
  /** Ends in "/api"; clients append the version. */
  readonly apiRoot: string;
  readonly port: number;
  /** Every REST request so far. */
  readonly calls: readonly Call[];
  /** The commands that the bot registered. */
  readonly commands: readonly RegisteredCommand[];
  /** The number of connected gateway sessions. */
  online(): number;
  /** A user writes to the bot in a DM; returns the message's id. `attachments` are file names. */
  say(user: string, text: string, attachments?: readonly string[]): string;
  /** A user uses a slash command, which must be registered; returns the interaction's id. */
  ask(user: string, question: string, options?: AskOptions): string;
  /** A user presses the lowest button with this label in the DM, or in a channel; returns the interaction's id. */
  press(user: string, label: string, channel?: string): string;
  /** What a user sees in the DM with the bot, or in a server's channel, from top to bottom. */
  screen(user: string, channel?: string): Shown[];
  /** Whether a user's DM shows the bot's typing indicator. */
  typing(user: string): boolean;
  /** The bot's texts on that screen. */
  shows(user: string, channel?: string): string[];
  userId(user: string): string;
  /** The id of a user's DM channel, or of a server's channel. */
  channelId(user: string, channel?: string): string;
  /** The id of the server of a channel. */
  guildId(channel: string): string;
  /** Sends any gateway event unchanged to the sessions whose shard it belongs to. */
  emit(t: string, d: object): void;
  /** Applies a fault to future requests. */
  fail(fault: Fault): void;
  /** Forbids the bot to write to this user from now on. */
  block(user: string): void;
  /** Cuts the gateway's connections, or closes them with a code; the sessions can be resumed. */
  dropSockets(code?: number): void;
  /** Asks the bot to reconnect (op 7), or invalidates its session (op 9), which may be resumable or not. */
  order(what: "reconnect" | "resumable" | "invalid"): void;
  /** Sends any text over the gateway's connections. */
  babble(text: string): void;
  /** Discards all gateway sessions, as Discord does some minutes after a connection was lost. */
  forgetSessions(): void;
  /** Keeps the gateway's connections open, but neither sends nor reads anything from now on. */
  muteSockets(): void;
  /** Counts of the gateway: sessions opened, sessions refused as too early, sessions resumed, and heartbeats. */
  sessions(): {
    readonly identified: number;
    readonly hasty: number;
    readonly resumed: number;
    readonly heartbeats: number;
  };
  /** Refuses the bot's token from now on, or accepts it again. */
  refuseToken(refused: boolean): void;
  close(): Promise<void>;
}

const DEFAULT_TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAw.simulated.bot-token-of-the-discord-simulator";
/** Path of the gateway's WebSocket, by which faults can name it. */
const GATEWAY_PATH = "/gateway-socket";
/** API reference, "Uploading Files". */
const MAX_FILE_BYTES = 10 * 1024 * 1024;
const DIRECT_MESSAGES = 1 << 12;
const GUILD_MESSAGES = 1 << 9;

/** Starts a simulated Discord. */
export async function startDiscordSimulator(
  options: DiscordSimulatorOptions = {},
): Promise<DiscordSimulator> {
  const { token = DEFAULT_TOKEN, clock = Date.now, fileBytes = MAX_FILE_BYTES } = options;
  const { keep = Number.POSITIVE_INFINITY, shards = 1, maxConcurrency = 1, rateLimits = false } = options;
  const bot: Bot = { applicationId: idOf("application"), name: "colloquy" };
  const calls: Call[] = [];
  const commands: RegisteredCommand[] = [];
  const faults = createFaults();
  const refusing = { token: false };
  const local = createLocalServer();
  const gatewayUrl = () => `ws://${options.host ?? `127.0.0.1:${portOf(local)}`}${GATEWAY_PATH}`;
  const gateway = createGateway({
    token,
    url: gatewayUrl,
    heartbeatMs: options.heartbeatMs ?? 41_250,
    allowedIntents: options.allowedIntents ?? ~PRIVILEGED_INTENTS,
    maxConcurrency,
    rateLimits,
    clock,
    identity: { user: userJson(undefined, bot), application: { id: bot.applicationId, flags: 0 } },
  });
  const world = createWorld({
    clock,
    responseMs: options.responseMs ?? 3000,
    tokenMs: options.tokenMs ?? 15 * 60_000,
    keep,
    onChange: (kind, entry, channel) => announce(gateway, kind, { entry, channel, bot }),
  });
  const limiter = rateLimits ? createLimiter(clock) : undefined;
  const limits = { shards, maxConcurrency, fileBytes, keep, limiter };
  const rest = createRest({ ...limits, refusing, bot, token, world, calls, faults, commands, gatewayUrl });
  serve(local, { rest, faults, gateway, changed: options.changed });
  await listen(local, options.port ?? 0);
  const port = portOf(local);
  return {
    ...createUsers({ world, gateway, commands, bot, fileBytes }),
    token,
    applicationId: bot.applicationId,
    apiRoot: `http://127.0.0.1:${port}/api`,
    port,
    calls,
    commands,
    online: () => gateway.online(),
    emit: (t, d) => gateway.dispatch({ t, d, intent: 0 }),
    fail: (fault) => faults.add(fault),
    dropSockets: (code) => gateway.drop(code),
    order: (what) => gateway.order(what),
    babble: (text) => gateway.babble(text),
    forgetSessions: () => gateway.forget(),
    muteSockets: () => gateway.mute(),
    sessions: () => gateway.counts(),
    refuseToken: (value) => void (refusing.token = value),
    close: async () => {
      gateway.close();
      await closeServer(local);
    },
  };
}

/** Sends the gateway event of a message, if the bot may see the message. */
function announce(
  gateway: Gateway,
  kind: string,
  { entry, channel, bot }: { entry: Entry; channel: Channel; bot: Bot },
): void {
  if (isCommand(entry) || !isPublic(entry)) return;
  const place = channel.person ? { channel_type: 1 } : { guild_id: guildOf(channel), channel_type: 0 };
  const deleted = { id: entry.id, channel_id: channel.id };
  const d = kind === "DELETE" ? deleted : messageJson(entry, channel, bot);
  if (channel.person || channel.open)
    gateway.dispatch({
      t: `MESSAGE_${kind}`,
      d: { ...d, ...place },
      intent: channel.person ? DIRECT_MESSAGES : GUILD_MESSAGES,
    });
}

interface Services {
  readonly rest: ReturnType<typeof createRest>;
  readonly faults: ReturnType<typeof createFaults>;
  readonly gateway: Gateway;
  readonly changed: (() => void) | undefined;
}

/** Answers HTTP requests and WebSocket connections. */
function serve({ server }: LocalServer, { rest, faults, gateway, changed }: Services): void {
  const handle = getRequestListener((request, env) => rest.fetch(request, env));
  server.on("request", (request, response) => {
    if (changed) response.once("close", changed);
    void handle(request, response);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const fault = faults.take("GET", GATEWAY_PATH);
    if (!fault) return gateway.upgrade(request, socket, head);
    if (fault.connection === "hang") return;
    if (fault.status) socket.end(`HTTP/1.1 ${fault.status} Refused\r\nConnection: close\r\n\r\n`);
    else socket.destroy();
  });
}
