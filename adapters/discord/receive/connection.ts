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
import type { Memory } from "./memory.ts";
import type { Shard } from "./shard.ts";
import type { createTurns } from "./turns.ts";

/** The strategy's view on discord.js' manager. */
type Manager = ConstructorParameters<typeof SimpleShardingStrategy>[0];

/** What is connected, and where to. */
export interface ConnectionOptions extends ApiOptions {
  readonly shard: Shard;
  /** The turns of all shards of this process. */
  readonly turns: ReturnType<typeof createTurns>;
  readonly info: GatewayInfo;
}

/** One life of discord.js' client: it cannot be used again once it was destroyed. */
export interface Connection {
  readonly client: Client;
  /** Every shard there ever was: the library forgets one that fails, but does not stop it from reconnecting. */
  readonly shards: Set<object>;
  /** Once set, the strategy opens no connection any more. */
  ended: boolean;
}

/** How a connection comes back. */
export interface Return {
  readonly memory: Memory;
  /** Resolves when it is time for the next attempt. */
  readonly pause: () => Promise<void>;
  /** Whether so many attempts were in vain that the session's own address may be dead. */
  readonly lost: () => boolean;
  /** Told of what the library would let end the process. */
  readonly report: (error: unknown) => void;
}

/** What discord.js wants to be done with a shard's connection. */
interface Farewell {
  readonly code?: number;
  readonly reason?: string;
  readonly recover?: WebSocketShardDestroyRecovery;
}

/** The status of a shard without a connection, in @discordjs/ws; discord.js shows another enum by that name. */
const IDLE = 0;
/** Discord may never answer the closing handshake: then the socket is cut after this long, in ms. */
const GOODBYE_MS = 1000;
/** After these close codes, by the library or by Discord, there is nothing to resume (Discord API docs, "Opcodes"). */
const SESSION_OVER: readonly number[] = [
  CloseCodes.Normal,
  GatewayCloseCodes.NotAuthenticated,
  GatewayCloseCodes.AlreadyAuthenticated,
  GatewayCloseCodes.InvalidSeq,
];

/** A client that only keeps the connection of one shard: nothing is cached, and no payload waits for another. */
export function createConnection(options: ConnectionOptions, comeBack: Return): Connection {
  const { shard, turns, info } = options;
  const client = new Client({
    intents: [GatewayIntentBits.DirectMessages],
    shards: [shard.index],
    rest: restOptions(options),
    ws: {
      buildIdentifyThrottler: async () => turns(info.session_start_limit.max_concurrency),
      buildStrategy: (manager) => {
        manager.fetchGatewayInformation = async () => info;
        return createStrategy(manager, connection, { ...comeBack, general: info.url });
      },
    },
  });
  // Not in the constructor's options: there the library would take SHARD_COUNT of the environment for a 1.
  client.options.shardCount = shard.count;
  const connection: Connection = { client, shards: new Set(), ended: false };
  // The library's own reading of payloads would fill its caches, drop DMs of unknown channels, and throw
  // where nobody catches if a payload has an unexpected form. The payloads go to `Events.Raw` before it.
  Reflect.set(client.ws, "handlePacket", () => true);
  return connection;
}

/** The library's usual strategy, but with sessions of ours, and with shards that return when we say so. */
function createStrategy(
  manager: Manager,
  connection: Connection,
  comeBack: Return & { general: string },
): SimpleShardingStrategy {
  const { memory, lost, general } = comeBack;
  const strategy = new SimpleShardingStrategy(manager);
  const spawn = strategy.spawn.bind(strategy);
  const connect = strategy.connect.bind(strategy);
  const destroy = strategy.destroy.bind(strategy);
  manager.options.retrieveSessionInfo = () => {
    const session = memory.session();
    return session && lost() ? { ...session, resumeURL: general } : session;
  };
  manager.options.updateSessionInfo = (_, session: SessionInfo | null) => {
    if (session) memory.open(session);
    // The end of this connection is not the session's.
    else if (!connection.ended) memory.forget();
  };
  strategy.spawn = async (ids) => {
    await spawn(ids);
    const shards: unknown = Reflect.get(strategy, "shards");
    for (const shard of shards instanceof Map ? shards.values() : []) {
      connection.shards.add(Object(shard));
      tame(Object(shard), connection, comeBack);
    }
  };
  // A login that waited for the gateway's address while it was ended would go on to connect.
  strategy.connect = async () => (connection.ended ? undefined : connect());
  // With the usual code 1000 Discord would forget the session.
  strategy.destroy = (farewell) => destroy({ ...farewell, code: CloseCodes.Resuming });
  return strategy;
}

/** Makes a shard wait before it returns, keep its session over a mere cut, and not wait for a silent socket. */
function tame(shard: object, connection: Connection, comeBack: Return): void {
  const destroy = methodOf(shard, "destroy");
  Reflect.set(shard, "internalConnect", comingBack(shard, connection, comeBack));
  Reflect.set(shard, "destroy", (farewell: Farewell = {}) => {
    const socket: unknown = Reflect.get(shard, "connection");
    setTimeout(() => cut(socket), GOODBYE_MS).unref();
    const { recover, code = CloseCodes.Normal } = farewell;
    const resumable = recover === WebSocketShardDestroyRecovery.Reconnect && !SESSION_OVER.includes(code);
    return destroy(resumable ? { ...farewell, recover: WebSocketShardDestroyRecovery.Resume } : farewell);
  });
  // The library awaits none of them: what they throw, at a payload of an unexpected form, nobody would catch.
  for (const name of ["onMessage", "onClose", "heartbeat"]) {
    const method = methodOf(shard, name);
    Reflect.set(shard, name, (...args: unknown[]) => method(...args).catch(comeBack.report));
  }
}

/** How a shard connects: the first time at once, then when it is time; until a socket is being opened. */
function comingBack(shard: object, connection: Connection, { pause: wait, report }: Return) {
  const open = methodOf(shard, "internalConnect");
  let opened = false;
  let waiting = false;
  return async (): Promise<void> => {
    // Of two simultaneous failures one comes back.
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
        report(error);
        waiting = true;
        await wait();
      }
    }
    waiting = false;
  };
}

function methodOf(shard: object, name: string): (...args: unknown[]) => Promise<unknown> {
  const method: unknown = Reflect.get(shard, name);
  if (typeof method !== "function") throw new TypeError(`discord.js' shard has no ${name}`);
  return async (...args) => Reflect.apply(method, shard, args);
}

/**
 * Ends a connection for good. The library's `destroy` waits for the closing handshake without limit, and a
 * shard that is just about to reconnect does so nevertheless: both are cut short here.
 */
export async function end(connection: Connection): Promise<void> {
  const { client, shards } = connection;
  connection.ended = true;
  client.removeAllListeners();
  client.on(Events.Error, () => {});
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
