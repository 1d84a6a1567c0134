import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { z } from "zod";

export interface StreamOptions {
  /** Time after which an unacknowledged message is pushed again, in ms. */
  readonly redeliverMs: number;
}

/** The Stream connections over which the robot receives messages. */
export interface Stream {
  /** The number of open connections. */
  readonly connections: number;
  /** The number of connections opened so far. */
  readonly opened: number;
  /** The number of unacknowledged messages. */
  readonly pending: number;
  /** The number of pushes so far, repeated ones included. */
  readonly pushed: number;
  /** The number of answers to pings so far. */
  readonly pongs: number;
  /** The number of the client's own pings so far. */
  readonly heartbeats: number;
  /** Creates a ticket for one connection, which is valid for a short time. */
  ticket(): string;
  /** Accepts a client with a valid ticket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Pushes a message over one of the connections, and repeats it until it is acknowledged. */
  push(data: object): void;
  /** Sends a system ping over every connection. */
  ping(): void;
  /** Announces the end of every connection, and closes it after `afterMs`. */
  disconnect(afterMs: number): void;
  /** Cuts every connection. */
  drop(): void;
  /** Makes the current connections half-open: they neither send nor answer from now on. */
  mute(): void;
  /** Sends any text over every connection. */
  send(text: string): void;
  close(): void;
}

interface Pushed {
  readonly messageId: string;
  readonly data: string;
  timer?: NodeJS.Timeout;
}

const TOPIC = "/v1.0/im/bot/messages/get";

/** Lifetime of a ticket, in ms (open.dingtalk.com). */
const TICKET_LIFE_MS = 90_000;

const Answer = z.object({ code: z.int(), headers: z.object({ messageId: z.string() }) });

/** Creates DingTalk's gateway, with tickets, pushes, acknowledgements, pings and disconnects. */
export function createStream({ redeliverMs }: StreamOptions): Stream {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Map<string, number>();
  const waiting = new Map<string, Pushed>();
  /** The connections that get messages. */
  const ready = new Set<WebSocket>();
  const muted = new Map<WebSocket, Duplex>();
  const raw = new Map<WebSocket, Duplex>();
  const counts = { opened: 0, pushed: 0, pongs: 0, heartbeats: 0, turn: 0 };

  return {
    get connections() {
      return [...server.clients].filter((socket) => !muted.has(socket)).length;
    },
    get opened() {
      return counts.opened;
    },
    get pending() {
      return waiting.size;
    },
    get pushed() {
      return counts.pushed;
    },
    get pongs() {
      return counts.pongs;
    },
    get heartbeats() {
      return counts.heartbeats;
    },
    ticket: () => {
      const ticket = randomUUID();
      tickets.set(ticket, Date.now() + TICKET_LIFE_MS);
      return ticket;
    },
    upgrade: (request, socket, head) => {
      const ticket = new URL(request.url ?? "/", "http://simulated").searchParams.get("ticket") ?? "";
      const until = tickets.get(ticket) ?? 0;
      tickets.delete(ticket);
      if (until > Date.now())
        return server.handleUpgrade(request, socket, head, (client) => welcome(client, socket));
      socket.end("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    },
    push: (data) => {
      const messageId = randomUUID();
      const entry = { messageId, data: JSON.stringify(data) };
      waiting.set(messageId, entry);
      deliver(entry);
    },
    ping: () => sendSystem("ping", JSON.stringify({ opaque: randomUUID() })),
    disconnect: (afterMs) => {
      sendSystem("disconnect", JSON.stringify({ reason: "server is going away" }));
      for (const socket of ready) setTimeout(() => socket.close(1001), afterMs).unref();
      ready.clear();
    },
    drop: () => {
      ready.clear();
      for (const socket of server.clients) socket.terminate();
    },
    mute: () => {
      for (const socket of server.clients) {
        const wire = raw.get(socket);
        if (!wire) continue;
        // Incoming frames stay unread, including pings.
        wire.pause();
        wire.removeAllListeners("data");
        muted.set(socket, wire);
        ready.delete(socket);
      }
    },
    send: (text) => {
      for (const socket of ready) socket.send(text);
    },
    close: () => {
      for (const { timer } of waiting.values()) clearTimeout(timer);
      waiting.clear();
      for (const socket of server.clients) socket.terminate();
      for (const wire of raw.values()) wire.destroy();
      server.close();
    },
  };

  function welcome(socket: WebSocket, wire: Duplex): void {
    counts.opened += 1;
    ready.add(socket);
    raw.set(socket, wire);
    socket.on("error", () => socket.terminate());
    socket.on("ping", () => (counts.heartbeats += 1));
    socket.on("message", (data) => onAnswer(Buffer.from(data as Buffer).toString("utf8")));
    wire.on("close", () => {
      ready.delete(socket);
      raw.delete(socket);
      muted.delete(socket);
    });
    socket.send(frame("SYSTEM", { topic: "CONNECTED", messageId: randomUUID() }, "{}"));
    for (const entry of waiting.values()) if (!entry.timer) deliver(entry);
  }

  function onAnswer(text: string): void {
    const { code, headers } = Answer.parse(JSON.parse(text));
    if (code !== 200) return;
    const entry = waiting.get(headers.messageId);
    if (!entry) {
      counts.pongs += 1;
      return;
    }
    clearTimeout(entry.timer);
    waiting.delete(entry.messageId);
  }

  /** Sends to the next connection in turn. Without a connection, the message waits for the next one that opens. */
  function deliver(entry: Pushed): void {
    delete entry.timer;
    const sockets = [...ready];
    const socket = sockets[counts.turn++ % Math.max(1, sockets.length)];
    if (!socket) return;
    counts.pushed += 1;
    socket.send(frame("CALLBACK", { topic: TOPIC, messageId: entry.messageId }, entry.data));
    entry.timer = setTimeout(() => deliver(entry), redeliverMs).unref();
  }

  function sendSystem(topic: string, data: string): void {
    for (const socket of ready) socket.send(frame("SYSTEM", { topic, messageId: randomUUID() }, data));
  }
}

function frame(type: string, headers: { topic: string; messageId: string }, data: string): string {
  const time = String(Date.now());
  return JSON.stringify({
    specVersion: "1.0",
    type,
    headers: {
      appId: "simulated",
      connectionId: "simulated",
      contentType: "application/json",
      time,
      ...headers,
    },
    data,
  });
}
