import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import {
  type Accounts,
  createAccounts,
  createWeb,
  type RecordStore,
  type Web,
} from "../../adapters/web/index.ts";
import type { ChatEvent } from "../../src/event.ts";
import { createLocalAccess } from "../../src/http/local.ts";
import { startServer } from "../../src/program/server.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { openRecordStore } from "../../src/program/web-chat.ts";
import { temporaryFolder } from "./folder.ts";
import { captureLog } from "./log.ts";

/** The web chat alone, behind the real server, asked by the operator at this machine; what people say goes nowhere. */
export interface Site {
  readonly url: string;
  readonly port: string;
  /** What people said. */
  readonly said: readonly ChatEvent[];
  readonly store: Store;
  readonly recordStore: RecordStore;
  /** As another process of the bot sees them, such as the command line. */
  readonly accounts: Accounts;
  readonly adapter: Web;
  /** All that was logged. */
  readonly lines: () => string;
  /** What was logged of security, without what is in every line. */
  readonly events: () => Record<string, unknown>[];
  /** A request, with a body where one is given. */
  ask(path: string, options?: Asking): Promise<Response>;
  /** Tries to sign in. */
  tries(who: object, cookie?: string): Promise<Response>;
  /** Signs in and returns the cookie. */
  enter(who: object, cookie?: string): Promise<string>;
  /** A page's stream of news. */
  listen(cookie: string): Promise<Listening>;
}

export interface Asking {
  readonly method?: string;
  readonly cookie?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface Listening {
  /** All that has come. */
  readonly text: () => string;
  /** Whether the server has ended it. */
  readonly over: () => boolean;
}

export interface SiteOptions {
  /** Where people reach it. */
  readonly url?: string;
  /** Of the store. */
  readonly file?: string;
  /** What the site sees of the record store. */
  readonly through?: (recordStore: RecordStore) => RecordStore;
}

/** Opens such a site. */
export async function openSite({
  url,
  file,
  through = (recordStore) => recordStore,
}: SiteOptions = {}): Promise<Site> {
  const store = await openStore(`sqlite:${file ?? join(temporaryFolder(), "store.sqlite")}`);
  const recordStore = await openRecordStore(store);
  const { log, lines } = captureLog();
  const adapter = createWeb({
    recordStore: through(recordStore),
    personas: ["a", "b"],
    models: ["m"],
    currency: "$",
    conversations: {
      chosen: async () => ({}),
      spent: async () => ({ input: 0, output: 0 }),
      export: async () => "# said",
      usage: async () => [],
    },
    url,
    log,
  });
  await adapter.start(async () => undefined, []);
  const said: ChatEvent[] = [];
  await adapter.start(async (event) => void said.push(event), []);
  const local = createLocalAccess();
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    adapters: [adapter],
    health: () => ({}),
    ...(url === undefined && { local }),
  });
  onTestFinished(async () => {
    await server.close();
    await store.close();
  });
  const ask: Site["ask"] = (path, { method, cookie, body, headers = {} } = {}) =>
    fetch(`${server.url}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(url === undefined && { authorization: `Bearer ${local.token}` }),
        ...(cookie && { cookie }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  const tries: Site["tries"] = (who, cookie) => ask("/api/session", { body: who, cookie });
  return {
    url: server.url,
    port: new URL(server.url).port,
    said,
    store,
    recordStore,
    accounts: createAccounts(recordStore),
    adapter,
    lines,
    events: () => eventsIn(lines()),
    ask,
    tries,
    enter: async (who, cookie) => {
      const response = await tries(who, cookie);
      expect(response.status).toBe(200);
      return response.headers.get("set-cookie")?.split(";")[0] ?? "";
    },
    listen: (cookie) => listen(`${server.url}/api/events`, { cookie }),
  };
}

/** Reads a stream for as long as it lasts. */
export async function listen(
  url: string,
  headers: Record<string, string>,
  body?: object,
): Promise<Listening> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const response = await fetch(url, {
    headers: { ...headers, ...(body && { "content-type": "application/json" }) },
    signal: over.signal,
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
  let text = "";
  let isOver = false;
  void (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  })()
    .catch(() => undefined)
    .finally(() => (isOver = true));
  return { text: () => text, over: () => isOver };
}

/** The lines of a log that are about security. */
export function eventsIn(log: string): Record<string, unknown>[] {
  return log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event !== undefined)
    .map(({ level: _, time: __, msg: ___, platform: ____, ...about }) => about);
}
