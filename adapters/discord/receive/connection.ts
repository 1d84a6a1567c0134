import { setTimeout as pause } from "node:timers/promises";
import {
  Client,
  CloseCodes,
  Events,
  GatewayCloseCodes,
  GatewayIntentBits,
  type SessionInfo,
  SimpleShardingStrategy,
  WebSocketShardDestroyRecovery,
} from "discord.js";
import { type ApiOptions, restOptions } from "../api.ts";
import type { GatewayInfo } from "./directory.ts";
import type { ShardSession } from "./sessions.ts";
import type { Shard } from "./shard.ts";
import type { createTurns } from "./turns.ts";

/** discord.js' manager, as the sharding strategy sees it. */
type Manager = ConstructorParameters<typeof SimpleShardingStrategy>[0];

/** What to connect, and where to. */
export interface ConnectionOptions extends ApiOptions {
  readonly shard: Shard;
  /** Shared by all shards of this process. */
  readonly turns: ReturnType<typeof createTurns>;
  readonly info: GatewayInfo;
}

/** A discord.js client, which cannot be used again once it is destroyed. */
export interface GatewayConnection {
  readonly client: Client;
  /** Every shard ever created: the library drops a failed one, but does not stop it from reconnecting. */
  readonly shards: Set<object>;
  /** Once true, the strategy opens no more connections. */
  ended: boolean;
}

/** How a connection reconnects. */
interface ReconnectOptions {
  readonly session: ShardSession;
  /** Resolves when it is time for the next attempt. */
  readonly pause: () => Promise<void>;
  /** Whether the session's own address may be dead, judging by the number of failed attempts. */
  readonly isAddressDead: () => boolean;
  /** Called with errors that would otherwise be unhandled rejections and end the process. */
  readonly onError: (error: unknown) => void;
}

/** The options with which discord.js destroys a shard's connection. */
interface DestroyOptions {
  readonly code?: number;
  readonly reason?: string;
  readonly recover?: WebSocketShardDestroyRecovery;
}

/** The status of a shard without a connection in @discordjs/ws; discord.js exports another enum of that name. */
const IDLE = 0;
/** How long to wait for the closing handshake, in ms: Discord may never answer it. */
const CLOSE_TIMEOUT_MS = 1000;
/** Close codes, sent by the library or by Discord, after which the session cannot be resumed (API docs, "Opcodes"). */
const SESSION_OVER: readonly number[] = [
  CloseCodes.Normal,
  GatewayCloseCodes.NotAuthenticated,
  GatewayCloseCodes.AlreadyAuthenticated,
  GatewayCloseCodes.InvalidSeq,
];

/** Creates a client that only maintains the connection of one shard: it caches nothing and parses no payloads. */
export function createConnection(options: ConnectionOptions, reconnect: ReconnectOptions): GatewayConnection {
  const { shard, turns, info } = options;
  const client = new Client({
    intents: [GatewayIntentBits.DirectMessages],
    shards: [shard.index],
    rest: restOptions(options),
    ws: {
      buildIdentifyThrottler: async () => turns(info.session_start_limit.max_concurrency),
      buildStrategy: (manager) => {
        manager.fetchGatewayInformation = async () => info;
        return createStrategy(manager, connection, { ...reconnect, generalUrl: info.url });
      },
    },
  });
  // Set afterwards, because the library replaces a 1 in the constructor's options by the variable SHARD_COUNT.
  client.options.shardCount = shard.count;
  const connection: GatewayConnection = { client, shards: new Set(), ended: false };
  // The library's own handlers would fill its caches, drop DMs of unknown channels, and throw uncaught errors at
  // payloads of an unexpected form. `Events.Raw` gets the payloads before them.
  Reflect.set(client.ws, "handlePacket", () => true);
  return connection;
}

/** Creates the library's default strategy, with our stored sessions and our backoff. */
function createStrategy(
  manager: Manager,
  connection: GatewayConnection,
  reconnect: ReconnectOptions & { generalUrl: string },
): SimpleShardingStrategy {
  const { session, isAddressDead, generalUrl } = reconnect;
  const strategy = new SimpleShardingStrategy(manager);
  const spawn = strategy.spawn.bind(strategy);
  const connect = strategy.connect.bind(strategy);
  const destroy = strategy.destroy.bind(strategy);
  manager.options.retrieveSessionInfo = () => {
    const info = session.info();
    return info && isAddressDead() ? { ...info, resumeURL: generalUrl } : info;
  };
  manager.options.updateSessionInfo = (_, info: SessionInfo | null) => {
    if (info) session.open(info);
    // When we end the connection, the session can still be resumed.
    else if (!connection.ended) session.discard();
  };
  strategy.spawn = async (ids) => {
    await spawn(ids);
    const shards: unknown = Reflect.get(strategy, "shards");
    for (const shard of shards instanceof Map ? shards.values() : []) {
      connection.shards.add(Object(shard));
      patchShard(Object(shard), connection, reconnect);
    }
  };
  // A login that was still waiting for the gateway's address would connect after the end.
  strategy.connect = async () => (connection.ended ? undefined : connect());
  // The default code 1000 would make Discord discard the session.
  strategy.destroy = (options) => destroy({ ...options, code: CloseCodes.Resuming });
  return strategy;
}

/** Makes a shard back off before it reconnects, resume after a broken socket, and not wait for a silent one. */
function patchShard(shard: object, connection: GatewayConnection, reconnect: ReconnectOptions): void {
  const destroy = methodOf(shard, "destroy");
  Reflect.set(shard, "internalConnect", connectWithBackoff(shard, connection, reconnect));
  Reflect.set(shard, "destroy", (options: DestroyOptions = {}) => {
    const socket: unknown = Reflect.get(shard, "connection");
    setTimeout(() => terminate(socket), CLOSE_TIMEOUT_MS).unref();
    const { recover, code = CloseCodes.Normal } = options;
    const resumable = recover === WebSocketShardDestroyRecovery.Reconnect && !SESSION_OVER.includes(code);
    return destroy(resumable ? { ...options, recover: WebSocketShardDestroyRecovery.Resume } : options);
  });
  // The library does not await these methods, so an error at a payload of an unexpected form would be unhandled.
  for (const name of ["onMessage", "onClose", "heartbeat"]) {
    const method = methodOf(shard, name);
    Reflect.set(shard, name, (...args: unknown[]) => method(...args).catch(reconnect.onError));
  }
}

/** Replaces a shard's connect method: the first attempt starts at once, each further one after a pause. */
function connectWithBackoff(
  shard: object,
  connection: GatewayConnection,
  { pause: wait, onError }: ReconnectOptions,
) {
  const open = methodOf(shard, "internalConnect");
  let opened = false;
  let waiting = false;
  return async (): Promise<void> => {
    // Two simultaneous failures must not reconnect twice.
    if (waiting) return;
    waiting = true;
    if (opened) await wait();
    opened = true;
    while (!connection.ended && Reflect.get(shard, "status") === IDLE) {
      waiting = false;
      try {
        await open();
        return;
      } catch (error) {
        onError(error);
        waiting = true;
        await wait();
      }
    }
    waiting = false;
  };
}

function methodOf(shard: object, name: string): (...args: unknown[]) => Promise<unknown> {
  const method: unknown = Reflect.get(shard, name);
  if (typeof method !== "function")
    throw new TypeError(
      `discord.js' shard has no method ${name}; this version of discord.js is not supported`,
    );
  return async (...args) => Reflect.apply(method, shard, args);
}

/**
 * Ends a connection for good. The library's `destroy` waits for the closing handshake without a limit, and does not stop
 * a shard that is about to reconnect; this does both.
 */
export async function endConnection(connection: GatewayConnection): Promise<void> {
  const { client, shards } = connection;
  connection.ended = true;
  client.removeAllListeners();
  client.on(Events.Error, () => {});
  await within(CLOSE_TIMEOUT_MS, client.destroy());
  for (const shard of shards) terminate(Reflect.get(shard, "connection"));
}

function terminate(socket: unknown): void {
  if (typeof socket !== "object" || socket === null || !("terminate" in socket)) return;
  // A socket that is still connecting emits an error when terminated, which needs a listener.
  if ("on" in socket && typeof socket.on === "function") socket.on("error", () => {});
  if (typeof socket.terminate === "function") socket.terminate();
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  await Promise.race([work.catch(() => {}), pause(ms, undefined, { signal: limit.signal }).catch(() => {})]);
  limit.abort();
}
