import type { Agent } from "node:http";
import { type RawData, WebSocket } from "ws";
import { z } from "zod";
import { TOPIC_ROBOT } from "../api.ts";
import { unanswered } from "../errors.ts";

export interface SocketOptions {
  /** The endpoint with its ticket, which is a credential. */
  readonly url: string;
  readonly agent: Agent | undefined;
  /** So often the other side is asked whether it is there, in ms; as long it may stay silent. */
  readonly keepAliveMs: number;
  /** Takes a message in; resolves once stored, and only then it is acknowledged. */
  readonly take: (data: string) => Promise<void>;
}

/** An open connection. */
export interface Socket {
  /** Resolves when a new connection is needed: with why, if this one is over, or not, if DingTalk is to close it soon. */
  readonly leaving: Promise<string | undefined>;
  /** Takes nothing more, waits for what is just being stored, and closes. */
  close(): Promise<void>;
}

/** What DingTalk sends: https://opensource.dingtalk.com/developerpedia/docs/learn/stream/protocol. */
const Frame = z.object({
  type: z.string(),
  headers: z.object({ topic: z.string(), messageId: z.string() }).loose(),
  data: z.string().catch(""),
});
type Frame = z.infer<typeof Frame>;

/** How long a connection may take to come about, in ms. */
const HANDSHAKE_MS = 10_000;

/** The most of a frame that is read, in bytes; a message is a few kB. */
const MAX_FRAME = 1_048_576;

/** How long closing waits for what is just being stored, and then for the other side, in ms. */
const STORE_MS = 3000;
const GOODBYE_MS = 1000;

/** Opens a connection; rejects with a `DingtalkRefusal`, or with the signal's reason. */
export async function openSocket(options: SocketOptions, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const { url, agent } = options;
  const limits = { handshakeTimeout: HANDSHAKE_MS, maxPayload: MAX_FRAME, perMessageDeflate: false };
  const socket = new WebSocket(url, { ...limits, ...(agent && { agent }) });
  // Frames may come together with the answer that opens the connection.
  const served = serve(socket, options);
  const abort = () => socket.terminate();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", (error) => reject(unanswered("open a stream connection", handshake(error))));
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

/** The only sentence of ws that says more than a code does. */
function handshake(error: Error): unknown {
  return /^Unexpected server response: \d+$/.test(error.message) ? error.message : error;
}

/** Answers what comes in on a connection. */
function serve(socket: WebSocket, { keepAliveMs, take }: SocketOptions): Socket {
  const storing = new Set<Promise<void>>();
  const watch = keepAlive(socket, keepAliveMs);
  let closing = false;
  let leave: (why?: string) => void = () => undefined;
  const leaving = new Promise<string | undefined>((resolve) => {
    leave = resolve;
  });
  // An error is always followed by the end.
  socket.on("error", () => undefined);
  socket.on("close", (code) =>
    leave(watch.silent ? "the stream connection was dead" : `the stream connection was closed (${code})`),
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
    // Without an acknowledgement it comes again within a minute; whoever takes it in says what is wrong.
    const stored: Promise<void> = take(data)
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
    await within(STORE_MS, Promise.all(storing));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    if (socket.readyState === WebSocket.CLOSED) return;
    socket.close(1000);
    await within(GOODBYE_MS, closed);
    socket.terminate();
  }
}

/** Ends a connection on which nothing is heard: a cable that was pulled, a NAT that has forgotten it. */
function keepAlive(socket: WebSocket, everyMs: number): { readonly silent: boolean } {
  let heard = true;
  const state = { silent: false };
  const hear = () => {
    heard = true;
  };
  for (const event of ["message", "ping", "pong"]) socket.on(event, hear);
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    state.silent = !heard;
    if (!heard) return socket.terminate();
    heard = false;
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
