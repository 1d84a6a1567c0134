import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { z } from "zod";

export interface StreamOptions {
  /** After this time a message that nobody has acknowledged is pushed again, in ms. */
  readonly redeliverMs: number;
}

/** The connections over which messages come to the robot. */
export interface Stream {
  /** How many stand. */
  readonly connections: number;
  /** How many were opened so far. */
  readonly opened: number;
  /** How many messages are not acknowledged. */
  readonly pending: number;
  /** How often messages were pushed so far. */
  readonly pushed: number;
  /** The answers to pings so far. */
  readonly pongs: number;
  /** The client's own pings so far. */
  readonly heartbeats: number;
  /** A ticket for one connection, within a short time. */
  ticket(): string;
  /** Lets a client in that shows a ticket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Pushes a message to one of the connections, again and again until it is acknowledged. */
  push(data: object): void;
  /** Sends a system ping to all. */
  ping(): void;
  /** Tells all to leave, and closes them after a moment, in ms. */
  disconnect(afterMs: number): void;
  /** Cuts all without a word. */
  drop(): void;
  /** From now on those that stand neither send nor answer anything: half-open. */
  mute(): void;
  /** Sends any text to all. */
  send(text: string): void;
  close(): void;
}

interface Pushed {
  readonly messageId: string;
  readonly data: string;
  timer?: NodeJS.Timeout;
}

const TOPIC = "/v1.0/im/bot/messages/get";

/** A ticket lasts for so long, in ms (open.dingtalk.com). */
const TICKET_MS = 90_000;

const Answer = z.object({ code: z.int(), headers: z.object({ messageId: z.string() }) });

/** DingTalk's gateway: tickets, pushes, acknowledgements, pings and farewells. */
export function createStream({ redeliverMs }: StreamOptions): Stream {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Map<string, number>();
  const waiting = new Map<string, Pushed>();
  /** Those who get messages. */
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
      tickets.set(ticket, Date.now() + TICKET_MS);
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
    ping: () => tell("ping", JSON.stringify({ opaque: randomUUID() })),
    disconnect: (afterMs) => {
      tell("disconnect", JSON.stringify({ reason: "server is going away" }));
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
        // Whatever comes in stays unread; the ping frames too.
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

  /** To whoever is next; to nobody if nobody is there: then to the next who comes. */
  function deliver(entry: Pushed): void {
    delete entry.timer;
    const sockets = [...ready];
    const socket = sockets[counts.turn++ % Math.max(1, sockets.length)];
    if (!socket) return;
    counts.pushed += 1;
    socket.send(frame("CALLBACK", { topic: TOPIC, messageId: entry.messageId }, entry.data));
    entry.timer = setTimeout(() => deliver(entry), redeliverMs).unref();
  }

  function tell(topic: string, data: string): void {
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
