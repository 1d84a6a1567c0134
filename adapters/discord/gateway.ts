import { setTimeout as pause } from "node:timers/promises";
import {
  Client,
  DiscordjsErrorCodes,
  Events,
  GatewayCloseCodes,
  GatewayIntentBits,
  SimpleShardingStrategy,
} from "discord.js";
import type { Logger } from "pino";
import { ConfigError, describeError } from "../../src/errors.ts";
import { type ApiOptions, restOptions } from "./api.ts";

/** Something that happened, such as "MESSAGE_CREATE", with its payload as it came. */
export interface Dispatch {
  readonly type: string;
  readonly payload: unknown;
}

type OnDispatch = (dispatch: Dispatch) => void;

/** The connection on which Discord tells what happens. */
export interface Gateway {
  /** Resolves when Discord has said READY; rejects with a `ConfigError` if it refuses the bot. */
  start(onDispatch: OnDispatch): Promise<void>;
  /** Resolves soon, even if Discord does not answer. */
  stop(): Promise<void>;
  trouble(): string | undefined;
}

/** One life of discord.js' client: it cannot be used again once it was destroyed. */
interface Connection {
  readonly client: Client;
  /** Every shard there ever was: the library forgets one that fails, but does not stop it from reconnecting. */
  readonly shards: Set<object>;
  /** Once set, the strategy opens no connection any more. */
  ended: boolean;
}

/** Waits between attempts to log in grow from the first to the second, in ms. */
const BACKOFF_MS = { first: 1000, last: 30_000 };
/** Discord may never answer the closing handshake: then the socket is cut after this long, in ms. */
const GOODBYE_MS = 1000;

const AUTHENTICATION_FAILED: number = GatewayCloseCodes.AuthenticationFailed;
const BAD_INTENTS: readonly number[] = [
  GatewayCloseCodes.InvalidIntents,
  GatewayCloseCodes.DisallowedIntents,
];

/**
 * Discord's gateway through discord.js, as a stream of plain payloads. The library reconnects and resumes; what
 * it leaves open is done here: to keep trying when it cannot log in at all, and to end in every state.
 */
export function createGateway(
  options: ApiOptions & { log?: Pick<Logger, "info" | "warn" | "error"> },
): Gateway {
  const { token, log } = options;
  let trouble: string | undefined = "Discord is not started.";
  let lost = false;
  let connection: Connection | undefined;
  let halt = new AbortController();

  async function start(onDispatch: OnDispatch): Promise<void> {
    if (!/^[\x21-\x7e]+$/.test(token)) throw badToken();
    const { signal } = (halt = new AbortController());
    trouble = "Connecting to Discord.";
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    for (let wait = BACKOFF_MS.first; !signal.aborted; wait = Math.min(wait * 2, BACKOFF_MS.last)) {
      try {
        return await connect(onDispatch, stopped);
      } catch (error) {
        await retire();
        if (error instanceof ConfigError) throw error;
        down(`Discord cannot be reached (${describeError(error)})`);
      }
      // Jitter, so that many bots do not come back in the same second.
      await pause(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    }
  }

  async function connect(onDispatch: OnDispatch, stopped: Promise<void>): Promise<void> {
    connection = createConnection(options);
    const { client } = connection;
    let ready = false;
    let refusal: ConfigError | undefined;
    client.on(Events.Raw, ({ t, d }: { t: string; d: unknown }) => {
      if (t === "READY" || t === "RESUMED") up();
      onDispatch({ type: t, payload: d });
    });
    client.on(Events.ShardReconnecting, () => down("The connection to Discord's gateway is lost"));
    client.on(Events.ShardDisconnect, ({ code }) => {
      trouble = (refusal = refusedBy(code)).message;
      if (ready) log?.error(trouble);
    });
    client.on(Events.Error, (error) => log?.warn(`Discord's gateway: ${describeError(error)}`));
    client.on(Events.ShardError, (error) => log?.warn(`Discord's gateway: ${describeError(error)}`));
    const login = client.login(token).catch((error: unknown) => {
      throw refusal ?? (isTokenRefusal(error) ? badToken() : error);
    });
    await Promise.race([login, stopped]);
    ready = true;
  }

  function up(): void {
    if (trouble) log?.info("Connected to Discord's gateway");
    trouble = undefined;
    lost = false;
  }

  /** Says it once for each time that the connection is lost. */
  function down(reason: string): void {
    trouble = `${reason}; trying again.`;
    if (!lost) log?.warn(trouble);
    lost = true;
  }

  async function retire(): Promise<void> {
    const retired = connection;
    connection = undefined;
    if (retired) await end(retired);
  }

  return {
    start,
    stop: async () => {
      halt.abort();
      await retire();
      trouble = "Discord is stopped.";
    },
    trouble: () => trouble,
  };
}

/** A client that only keeps the connection: nothing is cached, and no payload waits for another. */
function createConnection(options: ApiOptions): Connection {
  const client = new Client({
    intents: [GatewayIntentBits.DirectMessages],
    shards: "auto",
    rest: restOptions(options),
    ws: { buildStrategy: (manager) => watched(new SimpleShardingStrategy(manager), connection) },
  });
  const connection: Connection = { client, shards: new Set(), ended: false };
  // The library's own reading of payloads would fill its caches, drop DMs of unknown channels, and throw
  // where nobody catches if a payload has an unexpected form. The payloads go to `Events.Raw` before it.
  Reflect.set(client.ws, "handlePacket", () => true);
  return connection;
}

/** The strategy, whose shards the connection gets to know as soon as they exist. */
function watched(strategy: SimpleShardingStrategy, connection: Connection): SimpleShardingStrategy {
  const spawn = strategy.spawn.bind(strategy);
  const connect = strategy.connect.bind(strategy);
  strategy.spawn = async (ids) => {
    await spawn(ids);
    const shards: unknown = Reflect.get(strategy, "shards");
    for (const shard of shards instanceof Map ? shards.values() : []) connection.shards.add(Object(shard));
  };
  // A login that waited for the gateway's address while it was ended would go on to connect.
  strategy.connect = async () => (connection.ended ? undefined : connect());
  return strategy;
}

/**
 * Ends a connection for good. The library's `destroy` waits for the closing handshake without limit, and a
 * shard that is just about to reconnect does so nevertheless: both are cut short here.
 */
async function end(connection: Connection): Promise<void> {
  const { client, shards } = connection;
  connection.ended = true;
  client.removeAllListeners();
  client.on(Events.Error, () => {});
  for (const shard of shards) Reflect.set(shard, "internalConnect", () => Promise.resolve());
  await within(GOODBYE_MS, client.destroy());
  for (const shard of shards) cut(Reflect.get(shard, "connection"));
}

function cut(socket: unknown): void {
  if (typeof socket !== "object" || socket === null || !("terminate" in socket)) return;
  // A socket that is still connecting reports its end as an error, which must find a listener.
  if ("on" in socket && typeof socket.on === "function") socket.on("error", () => {});
  if (typeof socket.terminate === "function") socket.terminate();
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work.catch(() => {}), pause(ms, undefined, { signal: limit.signal }).catch(() => {})]);
  limit.abort();
}

function isTokenRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === DiscordjsErrorCodes.TokenInvalid;
}

/** What a close code means after which Discord does not want to see the bot again. */
function refusedBy(code: number): ConfigError {
  if (code === AUTHENTICATION_FAILED) return badToken();
  const name = GatewayCloseCodes[code] ?? "unknown";
  const intents = BAD_INTENTS.includes(code);
  return new ConfigError(
    intents ? "discord_intents" : "discord_gateway",
    `Discord's gateway refused the bot for good (close code ${code}, ${name}). ` +
      (intents ? "Check the bot's intents in the Developer Portal." : "Update to the newest version."),
  );
}

function badToken(): ConfigError {
  return new ConfigError(
    "discord_token",
    "Discord refused the bot's token. Set DISCORD_BOT_TOKEN to the token that the Developer Portal " +
      "(your application, Bot, Reset Token) shows.",
  );
}
