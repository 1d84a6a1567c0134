import type { Settings } from "../../config/settings.ts";
import type { Adapter } from "../adapter.ts";
import { type Colloquy, createColloquy, type Role } from "../colloquy.ts";
import { ConfigError } from "../errors.ts";
import { partsOfKey } from "../event.ts";
import type { LocalAccess } from "../http/local.ts";
import type { Log } from "../log.ts";
import { MARKER } from "../migrate/end.ts";
import { claimStore } from "../store/claim.ts";
import { type KeyedLock, createKeyedLock } from "../store/keyed-lock.ts";
import { openStore, type Store } from "../store/store.ts";
import { isPostgres } from "../store/url.ts";
import { createValueStore, type ValueStore } from "../store/values.ts";
import { chatOptions } from "./chat-options.ts";
import { createGuards } from "./guards.ts";
import { checkModels } from "./models.ts";
import { createPlatforms } from "./platforms.ts";
import type { Pages } from "./server.ts";

/** A running program. */
export interface Program {
  /** The URL of the HTTP port. */
  readonly url: string;
  /** Resolves with the names of the platforms once each is connected or has refused; rejects if all have refused. */
  readonly connected: Promise<readonly string[]>;
  /** Stops in order; no accepted event is lost. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly settings: Settings;
  readonly log: Log;
  /** The console, which is used if no platform is configured. */
  readonly console?: Adapter | undefined;
  /** What this process does; everything by default. */
  readonly role?: ProgramRole | undefined;
  /** How the HTTP port recognises the operator at this machine; without it no request counts as local. */
  readonly local?: LocalAccess | undefined;
  /** Further pages that the HTTP port serves. */
  readonly pages?: readonly Pages[];
}

/** What a process of the program does; `web` receives from the web chat only. */
export type ProgramRole = Role | "web";

/** Stops one part of the program. */
type Ending = () => Promise<void>;

/** The composition root: builds everything that the settings name, and starts it. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const claim = await claimOrFail(options.settings.STORE_URL);
  const endings: Ending[] = [() => claim.release()];
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= endAll(endings));
  try {
    return { ...(await start(options, endings)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Adds to `endings` what has to be stopped, in the order of starting. */
async function start(options: ProgramOptions, endings: Ending[]): Promise<Omit<Program, "stop">> {
  const { settings, log, role, local, pages } = options;
  const store = await openStore(settings.STORE_URL, (sentence) => log.warn(sentence));
  endings.push(() => store.close());
  const values = createValueStore(store);
  if (await values.at(MARKER).load()) throw interruptedMigration();
  const { adapters, colloquy } = await buildColloquy(options, store, values);
  endings.push(() => colloquy.stop());
  const { openPort } = await import("./port.ts");
  const port = await openPort({ settings, adapters, colloquy, role, local, pages });
  // The port closes after the bot has stopped, so that it reports the state until then.
  endings.splice(-1, 0, () => port.close());
  const checking = new AbortController();
  endings.push(async () => checking.abort());
  void checkModels(settings, log, checking.signal);
  return { url: port.url, connected: colloquy.start() };
}

async function buildColloquy(
  { settings, log, console, role }: ProgramOptions,
  store: Store,
  values: ValueStore,
): Promise<{ readonly adapters: readonly Adapter[]; readonly colloquy: Colloquy }> {
  const platforms = role === "web" ? [] : await createPlatforms(settings, log, values);
  const consoles = platforms.length === 0 && console ? [console] : [];
  const chat = chatOptions(settings, log);
  const { admitAt, createMessageRate: createPace } = await import("../access/pace.ts");
  const pace = createPace({ messagesPerMinute: settings.MESSAGES_PER_MINUTE, postgres: store.postgres });
  const web = settings.WEB_CHAT ? [await loadWebChat(admitAt("web", pace))] : [];
  const adapters = [...consoles, ...platforms, ...web];
  const colloquy = await createColloquy({
    adapters,
    ...chat,
    middleware: [...web.map(({ tap }) => tap), ...(await createGuards(settings, log, pace))],
    store,
    // `colloquy chat` in another terminal may answer in the same conversations.
    ...(consoles.length > 0 && { lock: consoleOnly(createKeyedLock(store, settings.STORE_URL)) }),
    turnsAtOnce: settings.TURNS_AT_ONCE,
    ...(role && { role: role === "web" ? "intake" : role }),
    log,
  });
  return { adapters, colloquy };

  async function loadWebChat(admit: ReturnType<typeof admitAt>) {
    const { openWebChat } = await import("./web-chat.ts");
    return openWebChat(store, { ...chat, url: settings.WEB_URL, admit, log });
  }
}

/** Locks only conversations at the console: locks are few and shared by chance, and this process alone answers the rest. */
function consoleOnly(lock: KeyedLock): KeyedLock {
  return async (key, signal) =>
    partsOfKey(key)?.platform === "console" ? lock(key, signal) : async () => undefined;
}

/** Stops what was started, the last first. */
async function endAll(endings: Ending[]): Promise<void> {
  for (let end = endings.pop(); end; end = endings.pop()) await end();
}

/** Events still to be copied from the other store would be taken for new ones, or never arrive. */
function interruptedMigration(): ConfigError {
  return new ConfigError(
    "store_url",
    "A migration into this store (STORE_URL) was interrupted: run the same `colloquy migrate` again, which continues " +
      "where it stopped, and then start the program.",
  );
}

/** Claims a store that only one process may use: a second one would answer every event again. */
async function claimOrFail(url: string) {
  const claim = isPostgres(url) ? { release: async () => undefined } : await claimStore(url);
  if (claim) return claim;
  throw new ConfigError(
    "store_url",
    "Another process of the program uses this store (STORE_URL): stop that process first, or give this one another " +
      "store. Only a store on PostgreSQL can be shared by several processes.",
  );
}
