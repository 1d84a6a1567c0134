import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";

/** What the gateway is told to send to those who may see it. */
export interface Dispatch {
  readonly t: string;
  /** With the `guild_id` of the server it happened in, if it was in one: whose shard sees it, else the first one. */
  readonly d: object;
  /** The intent without which a session does not see it; 0 is for everyone. */
  readonly intent: number;
}

/** How the simulated gateway is set up. */
export interface GatewayOptions {
  readonly token: string;
  /** The WebSocket's address, told in READY. */
  readonly url: () => string;
  /** How often the client must send a heartbeat, in ms. */
  readonly heartbeatMs: number;
  /** Intents that the developer portal has switched on. */
  readonly allowedIntents: number;
  /** The parts of READY that tell who the bot is. */
  readonly identity: object;
  /** So many sessions may be opened in 5 s, each of another shard modulo this. */
  readonly maxConcurrency: number;
  /** Whether that is enforced. */
  readonly rateLimits: boolean;
  readonly clock: () => number;
}

/** Index and count. */
type Shard = readonly [number, number];

interface Session {
  readonly id: string;
  readonly intents: number;
  readonly shard: Shard;
  readonly sent: { op: 0; s: number; t: string; d: object }[];
  socket: WebSocket | undefined;
  /** The last sequence that a heartbeat told. */
  acknowledged: number;
}

/** All intents that exist (Discord API docs, "Gateway Intents": bits 0 to 16, 20, 21, 24, 25). */
const KNOWN_INTENTS = 0x1ffff | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);
/** GUILD_MEMBERS, GUILD_PRESENCES and MESSAGE_CONTENT: off until asked for. */
export const PRIVILEGED_INTENTS = (1 << 1) | (1 << 8) | (1 << 15);
/** A client may send this many bytes in one payload. */
const PAYLOAD_BYTES = 4096;
/** How many events a session keeps for a resume. */
const KEPT_EVENTS = 1000;
/** The time of `max_concurrency`, in ms. */
const IDENTIFY_WINDOW_MS = 5000;

export type Gateway = ReturnType<typeof createGateway>;

/** Discord's gateway: HELLO, IDENTIFY, RESUME, heartbeats and dispatches, with the real close codes. */
export function createGateway(options: GatewayOptions) {
  const sockets = new WebSocketServer({ noServer: true });
  const sessions = new Map<string, Session>();
  const muted = new WeakSet<WebSocket>();
  const dropped = new WeakSet<WebSocket>();
  const counts = { identified: 0, resumed: 0, heartbeats: 0, hasty: 0 };
  /** When the last session was opened, by the shard's index modulo `maxConcurrency`. */
  const opened = new Map<number, number>();

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    sockets.handleUpgrade(request, socket, head, (client) => welcome(client));
  }

  function welcome(socket: WebSocket): void {
    let session: Session | undefined;
    let patience = watch(socket);
    socket.on("error", () => socket.terminate());
    socket.on("message", (data) => {
      const { op, d, beat } = parse(data);
      if (op === 1) {
        // What a heartbeat has acknowledged may not be played again.
        if (session) session.acknowledged = Math.max(session.acknowledged, beat ?? 0);
        counts.heartbeats++;
        clearTimeout(patience);
        patience = watch(socket);
        send(socket, { op: 11, d: null });
      } else if (op === 2) {
        if (session) return socket.close(4005, "Already authenticated.");
        session = identify(socket, d);
      } else if (op === 6) {
        session = resume(socket, d);
      } else if (!session) socket.close(op === undefined ? 4002 : 4003);
      else if (op === undefined) socket.close(4002);
    });
    socket.on("close", (code) => {
      clearTimeout(patience);
      if (!session || session.socket !== socket) return;
      session.socket = undefined;
      // A client that says goodbye properly gives its session up; any other end can be resumed.
      if ((code === 1000 || code === 1001) && !dropped.has(socket)) sessions.delete(session.id);
    });
    send(socket, { op: 10, d: { heartbeat_interval: options.heartbeatMs, _trace: [] } });
  }

  /** Closes a connection that sends no heartbeat. */
  function watch(socket: WebSocket): NodeJS.Timeout {
    return setTimeout(() => socket.close(4009, "Session timed out."), options.heartbeatMs * 1.5).unref();
  }

  function identify(socket: WebSocket, d: Record<string, unknown>): Session | undefined {
    const intents = Number(d.intents);
    const shard = readShard(d.shard);
    if (d.token !== options.token) socket.close(4004, "Authentication failed.");
    else if (!Number.isInteger(intents) || intents & ~KNOWN_INTENTS) socket.close(4013, "Invalid intent(s).");
    else if (intents & ~options.allowedIntents) socket.close(4014, "Disallowed intent(s).");
    else if (!shard) socket.close(4010, "Invalid shard.");
    else if (isHasty(shard)) send(socket, { op: 9, d: false });
    else return open(socket, intents, shard);
    return undefined;
  }

  /** Whether another session was opened just now, on whichever connection. */
  function isHasty([index]: Shard): boolean {
    if (!options.rateLimits) return false;
    const key = index % options.maxConcurrency;
    const hasty = options.clock() - (opened.get(key) ?? Number.NEGATIVE_INFINITY) < IDENTIFY_WINDOW_MS;
    if (hasty) counts.hasty++;
    else opened.set(key, options.clock());
    return hasty;
  }

  function open(socket: WebSocket, intents: number, shard: Shard): Session {
    const session: Session = {
      id: randomBytes(16).toString("hex"),
      intents,
      shard,
      sent: [],
      socket,
      acknowledged: 0,
    };
    sessions.set(session.id, session);
    counts.identified++;
    const address = { session_id: session.id, resume_gateway_url: options.url() };
    emit(session, "READY", { v: 10, guilds: [], shard, ...options.identity, ...address });
    return session;
  }

  function resume(socket: WebSocket, d: Record<string, unknown>): Session | undefined {
    const session = sessions.get(String(d.session_id));
    const seq = Number(d.seq);
    if (d.token !== options.token) socket.close(4004, "Authentication failed.");
    else if (!session) send(socket, { op: 9, d: false });
    else if (!(seq <= (session.sent.at(-1)?.s ?? 0))) socket.close(4007, "Invalid seq.");
    else return takeUp(session, socket, seq);
    return undefined;
  }

  function takeUp(session: Session, socket: WebSocket, seq: number): Session {
    session.socket?.close(4000);
    session.socket = socket;
    counts.resumed++;
    const from = Math.max(seq, session.acknowledged);
    for (const event of session.sent.filter(({ s }) => s > from)) send(socket, event);
    emit(session, "RESUMED", { _trace: [] });
    return session;
  }

  function emit(session: Session, t: string, d: object): void {
    const event = { op: 0 as const, s: (session.sent.at(-1)?.s ?? 0) + 1, t, d };
    session.sent.push(event);
    if (session.sent.length > KEPT_EVENTS) session.sent.shift();
    if (session.socket && !muted.has(session.socket)) send(session.socket, event);
  }

  return {
    upgrade,
    /** Sends an event to every session that may see it; one that is away gets it when it resumes. */
    dispatch({ t, d, intent }: Dispatch): void {
      for (const session of sessions.values()) {
        if (isFor(session.shard, d) && (!intent || session.intents & intent)) emit(session, t, d);
      }
    },
    /** Cuts every connection without a word, or closes it with `code`; the sessions can be resumed. */
    drop(code?: number): void {
      for (const socket of sockets.clients) {
        dropped.add(socket);
        if (code === undefined) socket.terminate();
        else socket.close(code);
      }
    },
    /** Tells every client to reconnect (op 7), or that its session is invalid (op 9), for good or not. */
    order(what: "reconnect" | "resumable" | "invalid"): void {
      for (const { socket } of sessions.values()) {
        if (socket) send(socket, what === "reconnect" ? { op: 7 } : { op: 9, d: what === "resumable" });
      }
      if (what === "invalid") sessions.clear();
    },
    /** Sends any text to every client. */
    babble(text: string): void {
      for (const socket of sockets.clients) socket.send(text);
    },
    /** Forgets every session: who wants to resume one hears that it is invalid. */
    forget(): void {
      sessions.clear();
    },
    /** From now on the connections that there are stay open without a word, and nothing they say is read. */
    mute(): void {
      for (const socket of sockets.clients) {
        socket.pause();
        muted.add(socket);
      }
    },
    /** How often a session was opened by IDENTIFY, how often one was resumed, all heartbeats, and IDENTIFYs too early. */
    counts: () => ({ ...counts }),
    /** How many sessions are connected right now. */
    online: () => [...sessions.values()].filter((session) => session.socket).length,
    close(): void {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

/** The first shard sees what happens in no server; servers are spread by their ids (Discord API docs, "Sharding"). */
function isFor([index, count]: Shard, d: unknown): boolean {
  // Whatever a test sends: also what is no object.
  const named: unknown = typeof d === "object" && d !== null && "guild_id" in d ? d.guild_id : undefined;
  const guild = typeof named === "string" && /^\d+$/.test(named) ? named : "0";
  return (BigInt(guild) >> 22n) % BigInt(count) === BigInt(index);
}

/** A bot that names no shard has one. */
function readShard(shard: unknown = [0, 1]): Shard | undefined {
  if (!Array.isArray(shard) || shard.length !== 2) return undefined;
  const [index, count] = shard.map(Number);
  if (!Number.isInteger(index) || !Number.isInteger(count)) return undefined;
  if (index === undefined || count === undefined || index < 0 || index >= count) return undefined;
  return [index, count];
}

function send(socket: WebSocket, payload: object): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ s: null, t: null, ...payload }));
}

/** A payload that cannot be read has no `op`. */
function parse(data: RawData): { op?: number; d: Record<string, unknown>; beat?: number } {
  const nothing = { d: {} };
  const text = Buffer.isBuffer(data) ? data.toString() : "";
  if (!text || text.length > PAYLOAD_BYTES) return nothing;
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null) return nothing;
    const { op, d } = json as { op?: unknown; d?: unknown };
    if (typeof op !== "number") return nothing;
    const beat = typeof d === "number" ? { beat: d } : {};
    return { op, d: typeof d === "object" && d !== null ? { ...d } : {}, ...beat };
  } catch {
    return nothing;
  }
}
