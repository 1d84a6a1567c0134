import type { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerOptions, ServerResponse } from "node:http";
import { isIPv6, type Socket } from "node:net";

/** How many connections there may be, and for whom. */
export interface ConnectionLimits {
  /** Whether this is a trusted proxy: many people come from its one address. None is if absent. */
  readonly isProxy?: ((address: string) => boolean) | undefined;
  /** At most this many from one address; `MAX_PER_ADDRESS` if absent. */
  readonly perAddress?: number;
  /** At most this many in all; what the limit of open files allows if absent. */
  readonly overall?: number;
  /** How long a connection may bring nothing, in ms; `HEADERS_MS` if absent. */
  readonly headersMs?: number;
}

/**
 * At most this many connections from one address. A browser keeps up to six, the event streams of its tabs among them, so
 * that an office of some eighty people behind one address is below it; a proxy that more people come through is to be
 * named as trusted.
 */
const MAX_PER_ADDRESS = 512;

/** At most this many connections in all, where the limit of open files allows it: each takes some 20 kB. */
const MAX_OVERALL = 10_000;

/** The limit of open files where the system does not tell it. */
const USUAL_FILES = 1024;

/**
 * A connection that brings no whole head of a request within this time is closed, in ms; a browser needs one round
 * trip.
 */
const HEADERS_MS = 8_000;

/** How often Node looks for connections that are late, in ms. */
const CHECK_EVERY_MS = 1_000;

/**
 * Answers that wait for their readers take at most this much, in bytes: of one address a dozen of the largest images, and
 * of all together what a process has room for.
 */
const MAX_UNREAD = { perAddress: 64_000_000, overall: 256_000_000 };

/** A connection whose other end has read nothing for this long is closed, in ms. */
const STUCK_MS = 60_000;

/** What Node's own server is told: how long a head may take, and a whole request, in ms. */
export function timeLimits(requestMs: number): ServerOptions {
  return {
    headersTimeout: Math.min(HEADERS_MS, requestMs),
    requestTimeout: requestMs,
    // 0 would mean never.
    connectionsCheckingInterval: Math.max(1, Math.min(CHECK_EVERY_MS, requestMs / 4)),
  };
}

/**
 * Limits the connections of a server. Where there are too many, one is closed that nobody is being answered on: the oldest
 * from the same address or, beyond the overall limit, from the address with the most connections. So neither silent
 * connections nor those of one address keep anybody out.
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

  /** False if no other address has more connections than this one. */
  function makeRoom(key: string): boolean {
    let [largest, most] = ["", key === PROXIES ? 1 : (open.get(key)?.size ?? 0)];
    for (const [other, { size }] of open)
      if (other !== PROXIES && size > most) [largest, most] = [other, size];
    return largest === "" ? key !== PROXIES && close(key, isUnanswered) : close(largest, () => true);
  }

  /** The oldest that has brought nothing before the oldest of all that may go; false if none may. */
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

  /** Node itself leaves alone what has brought nothing at all, and what is not read. */
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
  /** When it began, in ms since the epoch. */
  readonly since: number;
  /** What is being answered. */
  request: IncomingMessage | undefined;
  /** The number of bytes that the other end had not read at the last look. */
  waiting: number;
  /** When everything had been read or more than before, in ms since the epoch. */
  readAt: number;
}

/** Where the connections of trusted proxies are counted, which is no address. */
const PROXIES = "proxies";

/** Nothing whole has come on it. */
function isUnanswered({ request }: Connection): boolean {
  return !request?.complete;
}

/** Whose address it is: an IPv6 network of /64 is one customer's, who may take any address in it. */
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

/** Half of the files that the process may open: the rest is for the store, the model and the platforms. */
function maxOverall(): number {
  return Math.min(MAX_OVERALL, Math.floor(openFiles() / 2));
}

/** The limit of open files; Node itself raises the soft limit to the hard one. */
function openFiles(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return Number(soft ?? USUAL_FILES);
  } catch {
    return USUAL_FILES;
  }
}
