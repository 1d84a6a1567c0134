import type { Agent } from "node:http";
import { type RawData, WebSocket } from "ws";
import { z } from "zod";
import { TOPIC_ROBOT } from "../api.ts";
import { unanswered } from "../errors.ts";

export interface SocketOptions {
  /** The endpoint with its ticket, which is a credential. */
  readonly url: string;
  readonly agent: Agent | undefined;
  /** How often to ping, in ms; a connection that stays silent for this long is dead. */
  readonly keepAliveMs: number;
  /** Stores a message, which is acknowledged once this resolves. */
  readonly accept: (data: string) => Promise<void>;
}

/** An open Stream connection. */
export interface Socket {
  /** Resolves when a new connection is needed: to why this one closed, or to undefined if DingTalk will close it soon. */
  readonly leaving: Promise<string | undefined>;
  /** Accepts nothing more, waits for messages that are being stored, and closes. */
  close(): Promise<void>;
}

/** A frame from DingTalk: https://opensource.dingtalk.com/developerpedia/docs/learn/stream/protocol. */
const Frame = z.object({
  type: z.string(),
  headers: z.object({ topic: z.string(), messageId: z.string() }).loose(),
  data: z.string().catch(""),
});
type Frame = z.infer<typeof Frame>;

/** Time limit of the handshake, in ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Largest frame, in bytes; messages have a few kB. */
const MAX_FRAME_BYTES = 1_048_576;

/** How long `close` waits for messages that are being stored, and then for the closing handshake, in ms. */
const STORE_TIMEOUT_MS = 3000;
const CLOSE_TIMEOUT_MS = 1000;

/** Opens a connection; rejects with a `DingtalkRefusal`, or with the signal's reason. */
export async function openSocket(options: SocketOptions, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const { url, agent } = options;
  const limits = {
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
  };
  const socket = new WebSocket(url, { ...limits, ...(agent && { agent }) });
  // Listen before the connection opens: frames may arrive together with the handshake's answer.
  const served = serve(socket, options);
  const abort = () => socket.terminate();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", (error) => reject(unanswered("open a stream connection", handshakeReason(error))));
      socket.once("close", () => reject(unanswered("open a stream connection", "the connection was closed")));
    });
  } catch (error) {
    socket.terminate();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return served;
}

/** Keeps the one message of ws that says more than its code: the status of a refused handshake. */
function handshakeReason(error: Error): unknown {
  return /^Unexpected server response: \d+$/.test(error.message) ? error.message : error;
}

/** Answers the frames of a connection. */
function serve(socket: WebSocket, { keepAliveMs, accept }: SocketOptions): Socket {
  const storing = new Set<Promise<void>>();
  const state = keepAlive(socket, keepAliveMs);
  let closing = false;
  let leave: (why?: string) => void = () => undefined;
  const leaving = new Promise<string | undefined>((resolve) => {
    leave = resolve;
  });
  // An error is always followed by the event "close".
  socket.on("error", () => undefined);
  socket.on("close", (code) =>
    leave(state.silent ? "the stream connection was dead" : `the stream connection was closed (${code})`),
  );
  socket.on("message", (data) => {
    const frame = closing ? undefined : read(data);
    if (frame) answer(frame);
  });
  return { leaving, close };

  function answer(frame: Frame): void {
    const { type, headers, data } = frame;
    if (type === "SYSTEM" && headers.topic === "ping") return reply({ headers, data });
    if (type === "SYSTEM" && headers.topic === "disconnect") return leave();
    if (type !== "CALLBACK" || headers.topic !== TOPIC_ROBOT) return;
    // DingTalk sends an unacknowledged message again within a minute; `accept` has logged the error.
    const stored: Promise<void> = accept(data)
      .then(() => acknowledge(headers.messageId))
      .catch(() => undefined)
      .finally(() => storing.delete(stored));
    storing.add(stored);
  }

  function acknowledge(messageId: string): void {
    reply({
      headers: { contentType: "application/json", messageId },
      data: JSON.stringify({ response: null }),
    });
  }

  function reply(fields: { headers: object; data: string }): void {
    if (socket.readyState === WebSocket.OPEN)
      socket.send(JSON.stringify({ code: 200, message: "OK", ...fields }), () => undefined);
  }

  async function close(): Promise<void> {
    closing = true;
    await within(STORE_TIMEOUT_MS, Promise.all(storing));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    if (socket.readyState === WebSocket.CLOSED) return;
    socket.close(1000);
    await within(CLOSE_TIMEOUT_MS, closed);
    socket.terminate();
  }
}

/** Pings a connection and ends it if it stays silent, as after a pulled cable or an expired NAT entry. */
function keepAlive(socket: WebSocket, everyMs: number): { readonly silent: boolean } {
  let active = true;
  const state = { silent: false };
  const markActive = () => {
    active = true;
  };
  for (const event of ["message", "ping", "pong"]) socket.on(event, markActive);
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    state.silent = !active;
    if (!active) return socket.terminate();
    active = false;
    socket.ping(() => undefined);
  }, everyMs);
  socket.on("close", () => clearInterval(timer));
  return state;
}

function read(data: RawData): Frame | undefined {
  const text = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
  try {
    return Frame.safeParse(JSON.parse(text.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
