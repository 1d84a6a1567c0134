import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { belongsTo, parseFrame, readShard, send, type Shard } from "./frames.ts";

/** An event to send to every session that may see it. */
export interface Dispatch {
  readonly t: string;
  /** Contains the server's `guild_id` if it happened in one, which decides the shard; else it goes to shard 0. */
  readonly d: object;
  /** The intent that a session needs to see it; 0 if none. */
  readonly intent: number;
}

/** Options of the simulated gateway. */
export interface GatewayOptions {
  readonly token: string;
  /** The WebSocket's address, which READY contains. */
  readonly url: () => string;
  /** Heartbeat interval, in ms. */
  readonly heartbeatMs: number;
  /** Intents that are enabled in the Developer Portal. */
  readonly allowedIntents: number;
  /** The fields of READY that describe the bot. */
  readonly identity: object;
  /** How many sessions may be opened in 5 s; their shards must differ modulo this number. */
  readonly maxConcurrency: number;
  /** Whether to enforce `maxConcurrency`. */
  readonly rateLimits: boolean;
  readonly clock: () => number;
}

interface Session {
  readonly id: string;
  readonly intents: number;
  readonly shard: Shard;
  readonly sent: { op: 0; s: number; t: string; d: object }[];
  socket: WebSocket | undefined;
  /** The last sequence that a heartbeat acknowledged. */
  acknowledged: number;
}

/** All existing intents (API docs, "Gateway Intents": bits 0 to 16, 20, 21, 24 and 25). */
const KNOWN_INTENTS = 0x1ffff | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);
/** GUILD_MEMBERS, GUILD_PRESENCES and MESSAGE_CONTENT, which are disabled by default. */
export const PRIVILEGED_INTENTS = (1 << 1) | (1 << 8) | (1 << 15);
/** How many events a session keeps for a resume. */
const MAX_REPLAYED_EVENTS = 1000;
/** The window of `max_concurrency`, in ms. */
const IDENTIFY_WINDOW_MS = 5000;

export type Gateway = ReturnType<typeof createGateway>;

/** Creates a gateway with HELLO, IDENTIFY, RESUME, heartbeats and dispatches, and with Discord's close codes. */
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
    let timeout = watch(socket);
    socket.on("error", () => socket.terminate());
    socket.on("message", (data) => {
      const { op, d, beat } = parseFrame(data);
      if (op === 1) {
        // Discord does not replay events that a heartbeat has acknowledged.
        if (session) session.acknowledged = Math.max(session.acknowledged, beat ?? 0);
        counts.heartbeats++;
        clearTimeout(timeout);
        timeout = watch(socket);
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
      clearTimeout(timeout);
      if (!session || session.socket !== socket) return;
      session.socket = undefined;
      // With these codes the client ends its session; after any other end it can be resumed.
      if ((code === 1000 || code === 1001) && !dropped.has(socket)) sessions.delete(session.id);
    });
    send(socket, { op: 10, d: { heartbeat_interval: options.heartbeatMs, _trace: [] } });
  }

  /** Closes a connection that sends no heartbeat in time. */
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

  /** Whether another session was opened too recently, on any connection. */
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
    else return replay(session, socket, seq);
    return undefined;
  }

  function replay(session: Session, socket: WebSocket, seq: number): Session {
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
    if (session.sent.length > MAX_REPLAYED_EVENTS) session.sent.shift();
    if (session.socket && !muted.has(session.socket)) send(session.socket, event);
  }

  return {
    upgrade,
    /** Sends an event to every session that may see it; a disconnected one gets it when it resumes. */
    dispatch({ t, d, intent }: Dispatch): void {
      for (const session of sessions.values()) {
        if (belongsTo(d, session.shard) && (!intent || session.intents & intent)) emit(session, t, d);
      }
    },
    /** Cuts every connection, or closes it with `code`; the sessions can be resumed. */
    drop(code?: number): void {
      for (const socket of sockets.clients) {
        dropped.add(socket);
        if (code === undefined) socket.terminate();
        else socket.close(code);
      }
    },
    /** Asks every client to reconnect (op 7), or invalidates its session (op 9), which may be resumable or not. */
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
    /** Discards every session: an attempt to resume one gets "invalid session". */
    forget(): void {
      sessions.clear();
    },
    /** Keeps the current connections open, but neither sends nor reads anything on them from now on. */
    mute(): void {
      for (const socket of sockets.clients) {
        socket.pause();
        muted.add(socket);
      }
    },
    /** Counts of sessions opened and resumed, of heartbeats, and of IDENTIFYs that came too early. */
    counts: () => ({ ...counts }),
    /** The number of connected sessions. */
    online: () => [...sessions.values()].filter((session) => session.socket).length,
    close(): void {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}
