import type { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../api.ts";
import { DingtalkRefusal, wrongCredentials } from "../errors.ts";
import { type Health, pauseAfter } from "./health.ts";
import { openSocket, type Socket } from "./socket.ts";

export interface StreamOptions {
  readonly api: Api;
  readonly health: Health;
  /** The agent of a proxy for a URL, if it needs one. */
  readonly agentFor: (url: string) => Agent | undefined;
  readonly keepAliveMs: number;
  readonly firstPauseMs: number;
  /** Stores a message. */
  readonly accept: (data: string) => Promise<void>;
  /** Ends receiving. */
  readonly signal: AbortSignal;
}

/** A connection that lasted this long resets the pauses, in ms. */
const STABLE_MS = 60_000;

/** How long to keep a connection that DingTalk is about to close, because it may still deliver messages, in ms. */
const LINGER_MS = 30_000;

/**
 * Receives in Stream mode until the signal aborts, and replaces each connection that ends. Resolves once the first one is
 * open, with a promise of the end; rejects with a `ConfigError` if DingTalk refuses the credentials before that.
 */
export async function receiveStream(options: StreamOptions): Promise<{ readonly ended: Promise<void> }> {
  const { api, health, agentFor, keepAliveMs, firstPauseMs, accept, signal } = options;
  const open = new Set<Socket>();
  const closeAll = () => Promise.all([...open].map((socket) => socket.close()));
  let failures = 0;
  signal.addEventListener("abort", () => void closeAll(), { once: true });
  const first = await connectWithRetry(true);
  return { ended: replaceFrom(first) };

  async function replaceFrom(socket: Socket | undefined): Promise<void> {
    for (let current = socket; current; current = await connectWithRetry(false)) {
      const since = performance.now();
      const why = await current.leaving;
      if (signal.aborted) break;
      if (performance.now() - since > STABLE_MS) failures = 0;
      if (why === undefined) closeLater(current);
      else lose(current, new Error(why));
      await pause(undefined);
    }
    await closeAll();
  }

  /** Retries until a connection is open; undefined once the signal has aborted. */
  async function connectWithRetry(isFirst: boolean): Promise<Socket | undefined> {
    while (!signal.aborted) {
      try {
        const socket = await connect();
        open.add(socket);
        health.recovered();
        return socket;
      } catch (error) {
        if (signal.aborted) break;
        if (isFirst && error instanceof DingtalkRefusal && error.kind === "credentials")
          throw wrongCredentials(error);
        health.failed(error);
        await pause(error);
      }
    }
    return undefined;
  }

  /** Each connection needs a ticket of its own. */
  async function connect(): Promise<Socket> {
    const { endpoint, ticket } = await api.openConnection(signal);
    const url = `${endpoint}?ticket=${encodeURIComponent(ticket)}`;
    return openSocket({ url, agent: agentFor(url), keepAliveMs, accept }, signal);
  }

  /** Waits before the next connection. Every one but the first waits here, so that no failure causes a storm of them. */
  async function pause(reason: unknown): Promise<void> {
    failures += 1;
    await sleep(pauseAfter(reason, failures, firstPauseMs), undefined, { signal }).catch(() => undefined);
  }

  function lose(socket: Socket, error: Error): void {
    open.delete(socket);
    health.failed(error);
  }

  function closeLater(socket: Socket): void {
    void sleep(LINGER_MS, undefined, { signal, ref: false })
      .catch(() => undefined)
      .then(() => socket.close())
      .then(() => open.delete(socket));
  }
}
