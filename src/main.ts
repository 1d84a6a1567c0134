import { createHash } from "node:crypto";
import { findPersona, loadPersonas } from "../config/personas.ts";
import type { Settings } from "../config/settings.ts";
import { apologiseForOld } from "./access/age.ts";
import { allowOnly, isAllowed } from "./access/allow.ts";
import type { Pace } from "./access/pace.ts";
import type { Adapter } from "./adapter.ts";
import { type Alone, createAlone } from "./alone.ts";
import { type Colloquy, createColloquy, type Role } from "./colloquy.ts";
import { interruptingNames } from "./commands/all.ts";
import { ConfigError } from "./errors.ts";
import { type ChatEvent, partsOfKey } from "./event.ts";
import type { Command, Handler } from "./handler.ts";
import { createKeep, type Keep } from "./keep.ts";
import { createForwarded, type Forwarded } from "./http/forwarded.ts";
import { isLoopback, type LocalAccess } from "./http/local.ts";
import type { Log } from "./log.ts";
import { MARKER } from "./migrate/end.ts";
import { checkModels, createModels } from "./models.ts";
import { VERSION } from "./package.ts";
import { createPreview, type Preview } from "./preview.ts";
import type { Proxy } from "./proxy/proxy.ts";
import { createRanges } from "./http/ranges.ts";
import type { Pages } from "./server.ts";
import { claimStore, isPostgres, openStore, type Store } from "./store.ts";
import type { WebChatOptions } from "./web.ts";

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
    const keep = createKeep(store);
    if (await keep.at(MARKER).load()) throw unfinished();
    const platforms = role === "web" ? [] : await createPlatforms(settings, log, keep);
    const atConsole = platforms.length === 0 && console ? [console] : [];
    const told = conversing(settings, log);
    const { admitAt, createPace } = await import("./access/pace.ts");
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
      ...(atConsole.length > 0 && { alone: aloneAtConsole(createAlone(store, settings.STORE_URL)) }),
      turnsAtOnce: settings.TURNS_AT_ONCE,
      ...(role && { role: role === "web" ? "intake" : role }),
      log,
    });
    const troubles = () => colloquy.troubles();
    const { HTTP_HOST: host, HTTP_PORT: port } = settings;
    let server: Awaited<ReturnType<typeof startServer>> | undefined;
    const { createMetrics } = await import("./metrics.ts");
    const { createStatus } = await import("./status.ts");
    const metrics = createMetrics({
      platforms: adapters.map(({ name }) => name),
      troubles,
      load: () => colloquy.load(),
      connections: async () => (await server?.connections()) ?? 0,
    });
    endings.push(async () => metrics.stop());
    const status = createStatus({
      metrics,
      token: settings.STATUS_TOKEN,
      version: VERSION,
      role: role ?? "all",
      troubles,
    });
    endings.push(() => colloquy.stop());
    const started = await startServer({
      host,
      port,
      adapters: role === "worker" ? [] : adapters,
      pages: [...pages, { paths: STATUS, app: status }],
      troubles,
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

/** Whom people talk to, and how long. */
function conversing(settings: Settings, log: Log) {
  const { HISTORY_HOURS: hours, HISTORY_MESSAGES: messages, HISTORY_TOKENS: tokens } = settings;
  const personas = loadPersonas();
  return {
    model: createModels(settings, log),
    persona: findPersona(personas, settings.PERSONA),
    personas,
    limits: {
      messages,
      tokens,
      ageMs: hours && hours * 3_600_000,
      policy: settings.HISTORY_POLICY,
    },
    currency: settings.CURRENCY,
  };
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
  }: ReturnType<typeof conversing> & Pick<WebChatOptions, "admit" | "log">,
) {
  const { createWebChat } = await import("./web.ts");
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
function aloneAtConsole(alone: Alone): Alone {
  return async (key, signal) =>
    partsOfKey(key)?.platform === "console" ? alone(key, signal) : async () => undefined;
}

/** A proxy on the same machine needs no setting: only its own processes could pretend to be one. */
function trustedProxies({ TRUSTED_PROXIES: named, WEB_URL, TELEGRAM_WEBHOOK_URL }: Settings): Forwarded {
  const isForwarded = WEB_URL !== undefined || TELEGRAM_WEBHOOK_URL !== undefined;
  const trusted = createRanges();
  for (const proxy of named.length > 0 || !isForwarded ? named : ["127.0.0.0/8", "::1"]) trusted.add(proxy);
  return createForwarded(trusted);
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

export interface ConsoleProgramOptions extends ProgramOptions {
  readonly console: Adapter;
  /** That of the settings; the caller closes it. */
  readonly store: Store;
  /** What the command line names: chosen with the first question, until the person chooses otherwise. */
  readonly chosen?: { readonly persona?: string; readonly model?: string };
  readonly middleware?: readonly Handler[];
  readonly commands?: readonly Command[];
  /** Who talks: what a run that died owed them is answered here. Without a name nothing outlives the process. */
  readonly user?: string;
}

/** A conversation at a console beside a running program: the same histories, but a queue of its own. */
export async function createConsoleColloquy(options: ConsoleProgramOptions): Promise<Colloquy> {
  const { settings, log, console, store, middleware = [], commands = [], user, chosen = {} } = options;
  await useProxy(settings);
  const queue = await chooseConsoleQueue(settings.STORE_URL, user);
  const colloquy = await createColloquy({
    adapters: [console],
    ...conversing(settings, log),
    middleware: [choosing(chosen), ...middleware],
    commands,
    store,
    queue: queue.url,
    alone: createAlone(store, settings.STORE_URL),
    log,
  });
  return {
    ...colloquy,
    stop: async () => {
      await colloquy.stop();
      await queue.release();
    },
  };
}

function choosing({ persona, model }: { readonly persona?: string; readonly model?: string }): Handler {
  const open = new Map<"persona" | "model", string | undefined>([
    ["persona", persona],
    ["model", model],
  ]);
  return ({ conversation, event }, next) => {
    for (const [what, name] of open) {
      if (event.command === what && event.text.trim()) open.delete(what);
      else if (name !== undefined) conversation[what] = name;
    }
    if (open.get("persona") !== undefined) conversation.system = undefined;
    return next();
  };
}

/** A file beside the store, unless another terminal of the same person answers from it: then memory. */
async function chooseConsoleQueue(store: string, user: string | undefined) {
  const inMemory = { url: "memory:", release: async () => undefined };
  // Of a URL that makes no sense the store itself complains.
  if (user === undefined || !store.startsWith("sqlite:")) return inMemory;
  const url = `${store}.chat-${createHash("sha1").update(user).digest("hex").slice(0, 12)}`;
  const claim = await claimStore(url);
  return claim ? { url, release: () => claim.release() } : inMemory;
}

/** Whether the settings name a platform to be reached over the network. */
export function hasPlatforms(settings: Settings): boolean {
  return Boolean(settings.TELEGRAM_BOT_TOKEN || settings.DISCORD_BOT_TOKEN || settings.DINGTALK_CLIENT_ID);
}

/** Whether the HTTP port is for this machine alone: no setting opens it to others, or says that others come through. */
export function isForThisMachine(settings: Settings): boolean {
  const { HTTP_HOST, WEB_URL, TELEGRAM_WEBHOOK_URL, DINGTALK_CLIENT_ID, DINGTALK_MODE } = settings;
  const hasCallback = DINGTALK_CLIENT_ID !== undefined && DINGTALK_MODE === "callback";
  const isOpen = WEB_URL !== undefined || TELEGRAM_WEBHOOK_URL !== undefined || hasCallback;
  return isLoopback(HTTP_HOST) && !isOpen && settings.TRUSTED_PROXIES.length === 0;
}

/** The previews of all platforms. `color`: what people see may be styled. */
export async function createPreviews(
  settings: Pick<Settings, "TELEGRAM_RICH">,
  color: boolean,
): Promise<Preview[]> {
  // Not the whole adapters: with the platforms' clients they take much longer to load.
  const { createTelegramDialect } = await import("../adapters/telegram/dialect.ts");
  const { telegramPayload } = await import("../adapters/telegram/payload.ts");
  const { readable } = await import("../adapters/telegram/rich-read.ts");
  const { toAnsi } = await import("../adapters/telegram/ansi.ts");
  const { createDiscordDialect } = await import("../adapters/discord/dialect.ts");
  const { discordPayload } = await import("../adapters/discord/payload.ts");
  const dingtalk = await import("../adapters/dingtalk/index.ts");
  const web = await import("../adapters/web/index.ts");
  const console = await import("../adapters/console/index.ts");
  return [
    createPreview({
      name: "telegram",
      dialect: createTelegramDialect({ rich: settings.TELEGRAM_RICH }),
      payload: telegramPayload,
      show: (body) => (color ? toAnsi(body) : readable(body).text),
      text: ({ text, rich = "" }) => text || rich,
    }),
    createPreview({
      name: "discord",
      dialect: createDiscordDialect(),
      payload: discordPayload,
      show: ({ content }) => content,
      text: ({ content }) => content,
    }),
    createPreview({
      name: "dingtalk",
      dialect: dingtalk.createDingtalkDialect(),
      payload: dingtalk.dingtalkPayload,
      show: ({ text }) => text,
      text: (body) => dingtalk.dingtalkPayload(body).msgParam,
    }),
    createPreview({
      name: "web",
      dialect: web.createWebDialect(),
      payload: (body) => body,
      show: ({ html }) => html,
      text: ({ html }) => html,
    }),
    createPreview({
      name: "console",
      dialect: console.createConsoleDialect({ color, columns: 80, rows: 22 }),
      payload: (text) => ({ text }),
      show: (text) => text,
      text: (text) => text,
    }),
  ];
}

/** The adapters of all platforms whose settings are there; each package is loaded only then. */
async function createPlatforms(settings: Settings, log: Log, keep: Keep): Promise<Adapter[]> {
  // Before discord.js is loaded: it remembers the WebSocket class, which a proxy replaces.
  const proxy = await useProxy(settings);
  const adapters: Adapter[] = [];
  if (settings.TELEGRAM_BOT_TOKEN) {
    const { createTelegram } = await import("../adapters/telegram/index.ts");
    const { TELEGRAM_WEBHOOK_URL: url, TELEGRAM_WEBHOOK_SECRET: secret } = settings;
    const agent = proxy?.agentFor(settings.TELEGRAM_API_ROOT);
    const telegram = createTelegram({
      token: settings.TELEGRAM_BOT_TOKEN,
      apiRoot: settings.TELEGRAM_API_ROOT,
      rich: settings.TELEGRAM_RICH,
      drafts: settings.TELEGRAM_DRAFTS,
      log: log.child({ platform: "telegram" }),
      ...(agent && { agent }),
      ...(url && { webhook: { url, ...(secret && { secret }) } }),
    });
    adapters.push(telegram);
  }
  if (settings.DISCORD_BOT_TOKEN) {
    const { createDiscord } = await import("../adapters/discord/index.ts");
    const apiRoot = settings.DISCORD_API_ROOT;
    const discord = createDiscord({
      token: settings.DISCORD_BOT_TOKEN,
      fileAfter: settings.DISCORD_FILE_AFTER,
      sessions: (name) => keep.at(name),
      log: log.child({ platform: "discord" }),
      ...(apiRoot && { apiRoot }),
    });
    adapters.push(discord);
  }
  if (settings.DINGTALK_CLIENT_ID && settings.DINGTALK_CLIENT_SECRET) {
    const { createDingtalk } = await import("../adapters/dingtalk/index.ts");
    const { DINGTALK_API_ROOT: apiRoot, DINGTALK_CARD_TEMPLATE: card, DINGTALK_CARD_FIELD: field } = settings;
    const dingtalk = createDingtalk({
      clientId: settings.DINGTALK_CLIENT_ID,
      clientSecret: settings.DINGTALK_CLIENT_SECRET,
      callback: settings.DINGTALK_MODE === "callback",
      ...(card && { cardTemplate: { id: card, field } }),
      log: log.child({ platform: "dingtalk" }),
      ...(apiRoot && { apiRoot }),
      ...(proxy && { agentFor: (url: string) => proxy.agentFor(url) }),
    });
    adapters.push(dingtalk);
  }
  return adapters;
}

/** Its packages take a fifth of the time that the program needs to start, and few need them. */
async function useProxy(settings: Settings): Promise<Proxy | undefined> {
  const { HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY } = settings;
  if (!HTTP_PROXY && !HTTPS_PROXY && !ALL_PROXY) return undefined;
  const proxy = await import("./proxy/proxy.ts");
  return proxy.useProxy({ HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY });
}

async function createGuards(settings: Settings, log: Log, pace: Pace): Promise<Handler[]> {
  const { ALLOWED_USERS: users, MAX_EVENT_AGE: hours } = settings;
  // Before the pace: what has piled up while the program was down was not written too fast.
  const listed = users.length > 0 ? new Set(users) : undefined;
  const age = apologiseForOld({
    mostMs: hours * 3_600_000,
    asking: new Set(["ask"]),
    ...(listed && { admits: (event: ChatEvent) => isAllowed(listed, event) }),
  });
  const { limitPace } = await import("./access/pace.ts");
  // The web chat counts what it takes in, and refuses the rest at once.
  const paced = exceptFor("web", limitPace({ pace, always: interruptingNames() }));
  // Whoever sits at the console runs the program; to the web chat people are let in one by one.
  const guards = [age, paced].map((guard) => exceptFor("console", guard));
  if (listed) return [...guards, exceptFor("console", exceptFor("web", allowOnly(listed)))];
  if (hasPlatforms(settings))
    log.warn("ALLOWED_USERS is empty: everyone may talk to this bot, at your expense");
  return guards;
}

function exceptFor(platform: string, guard: Handler): Handler {
  return (turn, next) => (turn.event.platform === platform ? next() : guard(turn, next));
}
