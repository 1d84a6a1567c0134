import type { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerOptions, ServerResponse } from "node:http";
import { isIPv6, type Socket } from "node:net";

/** Limits on the connections of a server. */
export interface ConnectionLimits {
  /** Whether an address is that of a trusted proxy, through which many clients connect; by default none is. */
  readonly isProxy?: ((address: string) => boolean) | undefined;
  /** The maximum number of connections from one address; `MAX_PER_ADDRESS` by default. */
  readonly perAddress?: number;
  /** The maximum number of connections in all; by default as many as the limit of open files allows. */
  readonly overall?: number;
  /** How long a connection may stay silent, in ms; `HEADERS_MS` by default. */
  readonly headersMs?: number;
}

/**
 * The maximum number of connections from one address. A browser keeps up to six, including the event streams of its
 * tabs, so this is enough for an office of some eighty people. A proxy for more people must be configured as trusted.
 */
const MAX_PER_ADDRESS = 512;

/** The maximum number of connections in all, if the limit of open files allows it; each takes some 20 kB. */
const MAX_OVERALL = 10_000;

/** The limit of open files to assume if the system does not report one. */
const USUAL_FILES = 1024;

/** How long the headers of a request may take to arrive, in ms; a browser needs one round trip. */
const HEADERS_MS = 8_000;

/** How often to check for connections to close, in ms. */
const CHECK_EVERY_MS = 1_000;

/**
 * How much response data may wait to be read, in bytes: for one address a dozen of the largest images, for all addresses
 * as much as a process can hold.
 */
const MAX_UNREAD = { perAddress: 64_000_000, overall: 256_000_000 };

/** How long a client may read nothing before its connection is closed, in ms. */
const STUCK_MS = 60_000;

/** The timeouts of Node's own server: `requestMs` is how long a whole request may take to arrive, in ms. */
export function timeLimits(requestMs: number): ServerOptions {
  return {
    headersTimeout: Math.min(HEADERS_MS, requestMs),
    requestTimeout: requestMs,
    // 0 would mean never.
    connectionsCheckingInterval: Math.max(1, Math.min(CHECK_EVERY_MS, requestMs / 4)),
  };
}

/**
 * Limits the connections of a server. If there are too many, it closes one that has no complete request: the oldest from
 * the same address or, beyond the overall limit, one from the address with the most connections. So neither silent
 * connections nor a single address can lock other clients out.
 */
export function limitConnections(server: Pick<EventEmitter, "on">, limits: ConnectionLimits = {}): void {
  const { isProxy = () => false, perAddress = MAX_PER_ADDRESS, overall = maxOverall() } = limits;
  const { headersMs = HEADERS_MS } = limits;
  const open = new Map<string, Map<Socket, Connection>>();
  const known = new WeakMap<Socket, Connection>();
  let count = 0;
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const key = isProxy(address) ? PROXIES : addressKey(address);
    const own = open.get(key) ?? new Map<Socket, Connection>();
    const isFull = key !== PROXIES && own.size >= perAddress;
    if (isFull && !close(key, isUnanswered)) return void socket.destroy();
    if (count >= overall && !makeRoom(key)) return void socket.destroy();
    const connection: Connection = { since: Date.now(), request: undefined, waiting: 0, readAt: Date.now() };
    known.set(socket, connection);
    open.set(key, own.set(socket, connection));
    count += 1;
    socket.once("close", () => forget(key, socket));
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const connection = known.get(request.socket);
    if (!connection) return;
    connection.request = request;
    response.once("close", () => (connection.request = undefined));
  });
  const sweep = setInterval(closeIdle, CHECK_EVERY_MS).unref();
  server.on("close", () => clearInterval(sweep));

  /** Closes a connection so that this address can open one; returns false if it cannot. */
  function makeRoom(key: string): boolean {
    let [largest, most] = ["", key === PROXIES ? 1 : (open.get(key)?.size ?? 0)];
    for (const [other, { size }] of open)
      if (other !== PROXIES && size > most) [largest, most] = [other, size];
    return largest === "" ? key !== PROXIES && close(key, isUnanswered) : close(largest, () => true);
  }

  /**
   * Closes the oldest connection without a request, or else the oldest one that may be closed; returns false if none
   * may.
   */
  function close(key: string, mayGo: (connection: Connection) => boolean): boolean {
    const all = [...(open.get(key) ?? [])].filter(([, connection]) => mayGo(connection));
    const [socket] = all.find(([, { request }]) => !request) ?? all[0] ?? [];
    if (!socket) return false;
    socket.destroy();
    forget(key, socket);
    return true;
  }

  function forget(key: string, socket: Socket): void {
    const own = open.get(key);
    if (!own?.delete(socket)) return;
    count -= 1;
    if (own.size === 0) open.delete(key);
  }

  /** Closes connections that have sent nothing at all, or that are not read: Node itself closes neither. */
  function closeIdle(): void {
    const now = Date.now();
    let unread = 0;
    for (const [key, sockets] of open) {
      let ofAddress = 0;
      for (const [socket, connection] of sockets) {
        const { writableLength: waiting } = socket;
        if (waiting === 0 || waiting < connection.waiting) connection.readAt = now;
        connection.waiting = waiting;
        const isSilent = socket.bytesRead === 0 && now - connection.since > headersMs;
        const isTooMuch =
          unread + waiting > MAX_UNREAD.overall ||
          (key !== PROXIES && ofAddress + waiting > MAX_UNREAD.perAddress);
        if (isSilent || isTooMuch || now - connection.readAt > STUCK_MS) socket.destroy();
        else {
          unread += waiting;
          ofAddress += waiting;
        }
      }
    }
  }
}

interface Connection {
  /** When the connection was opened, in ms since the epoch. */
  readonly since: number;
  /** The request that is being answered. */
  request: IncomingMessage | undefined;
  /** The number of bytes that the client had not read at the last check. */
  waiting: number;
  /** When the client last made progress in reading, in ms since the epoch. */
  readAt: number;
}

/** The key for the connections of all trusted proxies, in place of an address. */
const PROXIES = "proxies";

/** Whether no complete request has arrived. */
function isUnanswered({ request }: Connection): boolean {
  return !request?.complete;
}

/** The key to count an address by. An IPv6 /64 network belongs to one customer, who may use any address in it. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").split("%")[0] ?? "";
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("::");
  const before = head ? head.split(":") : [];
  const after = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}

/** Half of the files that the process may open; the rest is for the store, the model and the platforms. */
function maxOverall(): number {
  return Math.min(MAX_OVERALL, Math.floor(openFiles() / 2));
}

/** The limit of open files. Node itself raises the soft limit to the hard one. */
function openFiles(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return Number(soft ?? USUAL_FILES);
  } catch {
    return USUAL_FILES;
  }
}
