import type { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../api.ts";
import { DingtalkRefusal, wrongCredentials } from "../errors.ts";
import { type Health, pauseAfter } from "./health.ts";
import { openSocket, type Socket } from "./socket.ts";

export interface StreamOptions {
  readonly api: Api;
  readonly health: Health;
  /** The proxy's agent for an address, if there is a proxy. */
  readonly agentFor: (url: string) => Agent | undefined;
  readonly keepAliveMs: number;
  readonly firstPauseMs: number;
  /** Takes a message in; resolves once stored. */
  readonly take: (data: string) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A connection that lasted so long was a good one: the next may be opened at once; in ms. */
const STEADY_MS = 60_000;

/** A connection that DingTalk is about to close is left open for so long, for what it still brings, in ms. */
const LINGER_MS = 30_000;

/**
 * Receives over one connection after the other until the signal aborts. Resolves once the first is open, with a
 * promise of the end; rejects with a `ConfigError` if the credentials are refused by then.
 */
export async function receiveStream(options: StreamOptions): Promise<{ readonly ended: Promise<void> }> {
  const { api, health, agentFor, keepAliveMs, firstPauseMs, take, signal } = options;
  const open = new Set<Socket>();
  const closeAll = () => Promise.all([...open].map((socket) => socket.close()));
  let failures = 0;
  signal.addEventListener("abort", () => void closeAll(), { once: true });
  const first = await insist(true);
  return { ended: goOn(first) };

  async function goOn(socket: Socket | undefined): Promise<void> {
    for (let current = socket; current; current = await insist(false)) {
      const since = performance.now();
      const why = await current.leaving;
      if (signal.aborted) break;
      if (performance.now() - since > STEADY_MS) failures = 0;
      // One that DingTalk is about to close still brings what it has.
      if (why === undefined) linger(current);
      else lose(current, new Error(why));
      await pause(undefined);
    }
    await closeAll();
  }

  /** Undefined once the signal has aborted. */
  async function insist(isFirst: boolean): Promise<Socket | undefined> {
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
    return openSocket({ url, agent: agentFor(url), keepAliveMs, take }, signal);
  }

  /** There is one such pause at a time, and each connection comes after one: no storm, whatever fails. */
  async function pause(after: unknown): Promise<void> {
    failures += 1;
    await sleep(pauseAfter(after, failures, firstPauseMs), undefined, { signal }).catch(() => undefined);
  }

  function lose(socket: Socket, error: Error): void {
    open.delete(socket);
    health.failed(error);
  }

  function linger(socket: Socket): void {
    void sleep(LINGER_MS, undefined, { signal, ref: false })
      .catch(() => undefined)
      .then(() => socket.close())
      .then(() => open.delete(socket));
  }
}
