import type { Settings } from "../../config/settings.ts";
import type { Adapter } from "../adapter.ts";
import { createColloquy, type Role } from "../colloquy.ts";
import { ConfigError } from "../errors.ts";
import { partsOfKey } from "../event.ts";
import type { LocalAccess } from "../http/local.ts";
import type { Log } from "../log.ts";
import { MARKER } from "../migrate/end.ts";
import { claimStore } from "../store/claim.ts";
import { type KeyedLock, createKeyedLock } from "../store/keyed-lock.ts";
import { openStore, type Store } from "../store/store.ts";
import { isPostgres } from "../store/url.ts";
import { createValueStore } from "../store/values.ts";
import { VERSION } from "../system/package.ts";
import { chatOptions } from "./chat-options.ts";
import { createGuards } from "./guards.ts";
import { checkModels } from "./models.ts";
import { createPlatforms } from "./platforms.ts";
import { trustedProxies } from "./reach.ts";
import type { Pages } from "./server.ts";
import type { WebChatOptions } from "./web-chat.ts";

const STATUS = ["/metrics", "/status", "/status/*"];

/** A running program. */
export interface Program {
  /** Where the HTTP port answers. */
  readonly url: string;
  /** The names of the platforms, once each is connected or refused; rejects if none is left. */
  readonly connected: Promise<readonly string[]>;
  /** Ends in order; nothing that was accepted is lost. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly settings: Settings;
  readonly log: Log;
  /** Who talks when no platform is configured. */
  readonly console?: Adapter | undefined;
  /** What this process does; everything if absent. */
  readonly role?: ProgramRole | undefined;
  /** How the operator at this machine is known at the HTTP port; nothing counts as local if absent. */
  readonly local?: LocalAccess | undefined;
  /** What the HTTP port serves beside that. */
  readonly pages?: readonly Pages[];
}

/** What a process of the program does; `web` receives from the web chat alone. */
export type ProgramRole = Role | "web";

/** The composition root: builds everything that the settings name, and starts it. */
export async function startProgram({
  settings,
  log,
  console,
  role,
  local,
  pages = [],
}: ProgramOptions): Promise<Program> {
  const claim = await claimAlone(settings.STORE_URL);
  const endings: (() => Promise<void>)[] = [() => claim.release()];
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= endAll(endings));
  try {
    const store = await openStore(settings.STORE_URL, (sentence) => log.warn(sentence));
    endings.push(() => store.close());
    const values = createValueStore(store);
    if (await values.at(MARKER).load()) throw unfinished();
    const platforms = role === "web" ? [] : await createPlatforms(settings, log, values);
    const atConsole = platforms.length === 0 && console ? [console] : [];
    const told = chatOptions(settings, log);
    const { admitAt, createPace } = await import("../access/pace.ts");
    const { MESSAGES_PER_MINUTE: messagesPerMinute } = settings;
    const pace = createPace({ messagesPerMinute, postgres: store.postgres });
    const chat = { ...told, admit: admitAt("web", pace), log };
    const web = settings.WEB_CHAT ? [await openWebChat(settings, store, chat)] : [];
    const adapters = [...atConsole, ...platforms, ...web];
    const { startServer } = await import("./server.ts");
    const colloquy = await createColloquy({
      adapters,
      ...told,
      middleware: [...web.map(({ tap }) => tap), ...(await createGuards(settings, log, pace))],
      store,
      // Terminals may answer beside this one, in their own conversations.
      ...(atConsole.length > 0 && { lock: aloneAtConsole(createKeyedLock(store, settings.STORE_URL)) }),
      turnsAtOnce: settings.TURNS_AT_ONCE,
      ...(role && { role: role === "web" ? "intake" : role }),
      log,
    });
    const health = () => colloquy.health();
    const { HTTP_HOST: host, HTTP_PORT: port } = settings;
    let server: Awaited<ReturnType<typeof startServer>> | undefined;
    const { createMetrics } = await import("../telemetry/metrics.ts");
    const { createStatus } = await import("./status.ts");
    const metrics = createMetrics({
      platforms: adapters.map(({ name }) => name),
      health: health,
      load: () => colloquy.load(),
      connections: async () => (await server?.connections()) ?? 0,
    });
    endings.push(async () => metrics.stop());
    const status = createStatus({
      metrics,
      token: settings.STATUS_TOKEN,
      version: VERSION,
      role: role ?? "all",
      health: health,
    });
    endings.push(() => colloquy.stop());
    const started = await startServer({
      host,
      port,
      adapters: role === "worker" ? [] : adapters,
      pages: [...pages, { paths: STATUS, app: status }],
      health: health,
      local,
      forwarded: trustedProxies(settings),
    });
    server = started;
    // The port is the last to close: it says until then how things stand.
    endings.splice(-1, 0, () => started.close());
    const checking = new AbortController();
    endings.push(async () => checking.abort());
    void checkModels(settings, log, checking.signal);
    return { url: started.url, connected: colloquy.start(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openWebChat(
  settings: Settings,
  store: Store,
  {
    model: models,
    persona,
    personas,
    currency,
    admit,
    log,
  }: ReturnType<typeof chatOptions> & Pick<WebChatOptions, "admit" | "log">,
) {
  const { createWebChat } = await import("./web-chat.ts");
  const usual = [...personas.keys()].filter((name) => personas.get(name) === persona);
  return createWebChat({
    store,
    personas: [...new Set([...usual, ...personas.keys()])],
    models: models.map(({ name }) => name),
    currency,
    url: settings.WEB_URL,
    admit,
    log: log.child({ platform: "web" }),
  });
}

/** Locks are few, and shared by chance: who is answered by this process alone shall not wait for one. */
function aloneAtConsole(alone: KeyedLock): KeyedLock {
  return async (key, signal) =>
    partsOfKey(key)?.platform === "console" ? alone(key, signal) : async () => undefined;
}

/** What was begun last ends first. */
async function endAll(endings: (() => Promise<void>)[]): Promise<void> {
  for (let end = endings.pop(); end; end = endings.pop()) await end();
}

/** What is still to come from the other store would be taken for new, or never come. */
function unfinished(): ConfigError {
  return new ConfigError(
    "store_url",
    "A migration into this store (STORE_URL) was interrupted: run the same `colloquy migrate` again, which goes on " +
      "where it was, and then start.",
  );
}

/** Where the store is one process's own, a second one would answer everything once more. */
async function claimAlone(url: string) {
  const claim = isPostgres(url) ? { release: async () => undefined } : await claimStore(url);
  if (claim) return claim;
  throw new ConfigError(
    "store_url",
    "Another process of the program works with this store (STORE_URL): end that one first, or give this one another " +
      "store. Several processes can share one on PostgreSQL only.",
  );
}
