import type { IncomingMessage, Server } from "node:http";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { codePoints } from "./body.ts";
import type { RegisteredCommand } from "./commands.ts";
import { createFaults, type Fault } from "./faults.ts";
import { createGateway, type Gateway, PRIVILEGED_INTENTS } from "./gateway.ts";
import { idOf } from "./ids.ts";
import { createLimiter } from "./limiter.ts";
import { type Bot, guildOf, interactionJson, messageJson, type Place, userJson } from "./payloads.ts";
import { type Call, createRest } from "./rest.ts";
import { type Channel, createWorld, type Entry, EPHEMERAL, isCommand, type World } from "./world.ts";

export type { Call, Fault, Place };

/** How the simulated Discord is set up; without options it has the real limits. */
export interface DiscordSimulatorOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly token?: string;
  /** The present, in ms since the epoch. */
  readonly clock?: () => number;
  /** How long a slash command waits for its first response, in ms; 3 s. */
  readonly responseMs?: number;
  /** How long an interaction's token lives, in ms; 15 min. */
  readonly tokenMs?: number;
  /** How often the gateway wants a heartbeat, in ms; 41.25 s. */
  readonly heartbeatMs?: number;
  /** Intents the bot may ask for; all but the privileged ones. */
  readonly allowedIntents?: number;
  /** The largest file that anybody may send, in bytes; 10 MiB. */
  readonly fileBytes?: number;
  /**
   * Answers 429 beyond 5 writes in 5 s to a channel and 50 requests in 1 s, and calls a session invalid that is opened
   * less than 5 s after another; off.
   */
  readonly rateLimits?: boolean;
  /** How many shards bots are told to have; 1. */
  readonly shards?: number;
  /** So many shards may open their sessions at the same time (`max_concurrency`); 1. */
  readonly maxConcurrency?: number;
  /** The name by which bots reach the gateway, where a proxy leads from it to here; 127.0.0.1 and the port if absent. */
  readonly host?: string;
  /** So many calls, and lines in each channel, are remembered, the latest; all if absent. */
  readonly keep?: number;
  /** Told whenever a request was answered: what people see may have changed. */
  readonly changed?: () => void;
}

/** How a slash command is used. */
export interface AskOptions {
  /** "ask" if absent. */
  readonly command?: string;
  /** "dm" if absent. */
  readonly where?: Place;
  /**
   * A server channel's name; "general" in a server, "elsewhere" where only the person installed the bot. Before a
   * slash stands the server's name, if it is another one: "north/general".
   */
  readonly channel?: string;
  /** "en-US" if absent. */
  readonly locale?: string;
}

/** A line as a person sees it. */
export interface Shown {
  /** A person's name, or "bot". */
  readonly from: string;
  readonly id: string;
  readonly text: string;
  /** How often the bot changed it after it was first shown. */
  readonly edits: number;
  /** Whom it has pinged since it was posted: "@everyone", ids of people, "&" and ids of roles. */
  readonly pings: readonly string[];
  /** What stands on the buttons below it. */
  readonly buttons?: readonly string[];
  /** "thinking": the bot deferred its answer. "unanswered": the slash command got no response in time. */
  readonly state?: "thinking" | "unanswered";
  readonly files?: readonly { readonly name: string; readonly text: string }[];
}

/** A stand-in for Discord's servers on 127.0.0.1, with their real limits, errors and close codes. */
export interface DiscordSimulator {
  readonly token: string;
  readonly applicationId: string;
  /** With "/api"; clients add the version. */
  readonly apiRoot: string;
  readonly port: number;
  /** Every REST request so far. */
  readonly calls: readonly Call[];
  /** The commands as the bot registered them. */
  readonly commands: readonly RegisteredCommand[];
  /** How many gateway sessions are connected. */
  online(): number;
  /** Somebody writes to the bot in a DM; returns the message's id. `attachments` are file names. */
  say(user: string, text: string, attachments?: readonly string[]): string;
  /** Somebody uses a slash command, which must be registered; returns the interaction's id. */
  ask(user: string, question: string, options?: AskOptions): string;
  /** Somebody presses the lowest button with this label in the DM, or in a channel; returns the interaction's id. */
  press(user: string, label: string, channel?: string): string;
  /** What somebody sees in their DM with the bot, or in a server's channel, from top to bottom. */
  screen(user: string, channel?: string): Shown[];
  /** Whether the bot is shown to be typing in somebody's DM. */
  typing(user: string): boolean;
  /** The bot's texts on that screen. */
  shows(user: string, channel?: string): string[];
  userId(user: string): string;
  /** The id of somebody's DM channel, or of a server's channel. */
  channelId(user: string, channel?: string): string;
  /** The id of the server of a channel. */
  guildId(channel: string): string;
  /** Sends any gateway event, as it stands, to the session of whose shard it is. */
  emit(t: string, d: object): void;
  /** Plays a fault to requests to come. */
  fail(fault: Fault): void;
  /** From now on the bot may not write to this person. */
  block(user: string): void;
  /** Cuts the gateway's connections, or closes them with a code; their sessions can be resumed. */
  dropSockets(code?: number): void;
  /** Tells the bot to reconnect (op 7), or that its session is invalid (op 9): to be resumed, or lost. */
  order(what: "reconnect" | "resumable" | "invalid"): void;
  /** Sends any text on the gateway's connections. */
  babble(text: string): void;
  /** Forgets all gateway sessions, as after some minutes without a connection. */
  forgetSessions(): void;
  /** The gateway's connections stay open, but nothing comes from them any more, and nothing is read. */
  muteSockets(): void;
  /** How often a gateway session was opened, or too early to be, how often one was resumed, and how many heartbeats came. */
  sessions(): {
    readonly identified: number;
    readonly hasty: number;
    readonly resumed: number;
    readonly heartbeats: number;
  };
  /** From now on requests with the bot's token are refused, or taken again. */
  refuseToken(refused: boolean): void;
  close(): Promise<void>;
}

const DEFAULT_TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAw.simulated.bot-token-of-the-discord-simulator";
/** Where the gateway's WebSocket listens; faults can name it. */
const GATEWAY_PATH = "/gateway-socket";
/** Discord API reference, "Uploading Files". */
const FILE_BYTES = 10 * 1024 * 1024;
/** In code points: a person's message, as the client refuses longer ones. */
const MESSAGE_LENGTH = 2000;
const DIRECT_MESSAGES = 1 << 12;
const GUILD_MESSAGES = 1 << 9;

/** Starts a simulated Discord. */
export async function startDiscordSimulator(
  options: DiscordSimulatorOptions = {},
): Promise<DiscordSimulator> {
  const { token = DEFAULT_TOKEN, clock = Date.now, fileBytes = FILE_BYTES } = options;
  const { keep = Number.POSITIVE_INFINITY, shards = 1, maxConcurrency = 1 } = options;
  const bot: Bot = { applicationId: idOf("application"), name: "colloquy" };
  const calls: Call[] = [];
  const commands: RegisteredCommand[] = [];
  const faults = createFaults();
  const server = createServer();
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const gatewayUrl = () => `ws://${options.host ?? `127.0.0.1:${portOf(server)}`}${GATEWAY_PATH}`;
  const gateway = createGateway({
    token,
    url: gatewayUrl,
    heartbeatMs: options.heartbeatMs ?? 41_250,
    allowedIntents: options.allowedIntents ?? ~PRIVILEGED_INTENTS,
    maxConcurrency,
    rateLimits: options.rateLimits ?? false,
    clock,
    identity: { user: userJson(undefined, bot), application: { id: bot.applicationId, flags: 0 } },
  });
  const world = createWorld({
    clock,
    responseMs: options.responseMs ?? 3000,
    tokenMs: options.tokenMs ?? 15 * 60_000,
    keep,
    onChange: (kind, entry, channel) => announce(gateway, kind, { entry, channel, bot }),
  });
  const limiter = options.rateLimits ? createLimiter(clock) : undefined;
  const refusing = { token: false };
  const rest = createRest({
    refusing,
    bot,
    token,
    world,
    calls,
    faults,
    limiter,
    commands,
    gatewayUrl,
    shards,
    maxConcurrency,
    fileBytes,
    keep,
  });
  const handle = getRequestListener((request, env) => rest.fetch(request, env));
  server.on("request", (request, response) => {
    if (options.changed) response.once("close", options.changed);
    void handle(request, response);
  });
  server.on("upgrade", (request, socket, head) => connect({ request, socket, head }, faults, gateway));
  await listen(server, options.port ?? 0);
  const port = portOf(server);
  return {
    ...people({ world, gateway, commands, bot, fileBytes }),
    token,
    applicationId: bot.applicationId,
    apiRoot: `http://127.0.0.1:${port}/api`,
    port,
    calls,
    commands,
    online: () => gateway.online(),
    emit: (t, d) => gateway.dispatch({ t, d, intent: 0 }),
    fail: (fault) => faults.add(fault),
    dropSockets: (code) => gateway.drop(code),
    order: (what) => gateway.order(what),
    babble: (text) => gateway.babble(text),
    forgetSessions: () => gateway.forget(),
    muteSockets: () => gateway.mute(),
    sessions: () => gateway.counts(),
    refuseToken: (value) => void (refusing.token = value),
    close: () => close(server, gateway, sockets),
  };
}

/** Tells the bot about a message, if its intents let it see it. */
function announce(
  gateway: Gateway,
  kind: string,
  { entry, channel, bot }: { entry: Entry; channel: Channel; bot: Bot },
): void {
  if (isCommand(entry) || entry.flags & EPHEMERAL) return;
  const place = channel.person ? { channel_type: 1 } : { guild_id: guildOf(channel), channel_type: 0 };
  const gone = { id: entry.id, channel_id: channel.id };
  const d = kind === "DELETE" ? gone : messageJson(entry, channel, bot);
  if (channel.person || channel.open)
    gateway.dispatch({
      t: `MESSAGE_${kind}`,
      d: { ...d, ...place },
      intent: channel.person ? DIRECT_MESSAGES : GUILD_MESSAGES,
    });
}

/** Lets a WebSocket in, unless a fault waits for it. */
function connect(
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
  faults: ReturnType<typeof createFaults>,
  gateway: Gateway,
): void {
  const fault = faults.take("GET", GATEWAY_PATH);
  if (!fault) return gateway.upgrade(request, socket, head);
  if (fault.connection === "hang") return;
  if (fault.status) socket.end(`HTTP/1.1 ${fault.status} Refused\r\nConnection: close\r\n\r\n`);
  else socket.destroy();
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The simulator is not listening");
  return address.port;
}

async function close(server: Server, gateway: Gateway, sockets: ReadonlySet<Socket>): Promise<void> {
  gateway.close();
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    // Also those that a fault left hanging in the middle of a handshake.
    for (const socket of sockets) socket.destroy();
  });
}

interface Town {
  readonly world: World;
  readonly gateway: Gateway;
  readonly commands: readonly RegisteredCommand[];
  readonly bot: Bot;
  readonly fileBytes: number;
}

/** The part of the simulator that stands for people. */
function people(town: Town) {
  const { world } = town;
  const channelOf = (user: string, channel?: string) =>
    channel === undefined
      ? world.directChannel(world.person(user))
      : world.serverChannel(channel, channel !== "elsewhere");
  const screen = (user: string, channel?: string): Shown[] =>
    channelOf(user, channel)
      .entries.filter((entry) => !(entry.flags & EPHEMERAL) || entry.interaction?.person.name === user)
      .map((entry) => shown(entry, world));
  return {
    say: (user: string, text: string, attachments: readonly string[] = []) => {
      const content = text.trim();
      if (!content && attachments.length === 0) throw new Error("Discord sends no empty message");
      if (codePoints(content) > MESSAGE_LENGTH) throw new Error("Discord sends no message this long");
      const author = world.person(user);
      return world.say(world.directChannel(author), { author, text: content, attachments }).id;
    },
    ask: (user: string, question: string, options: AskOptions = {}) =>
      ask(town, { user, question, ...options }),
    press: (user: string, label: string, channel?: string) => press(town, { user, label, channel }),
    screen,
    typing: (user: string) => world.typing(channelOf(user)),
    shows: (user: string, channel?: string) =>
      screen(user, channel)
        .filter((line) => line.from === "bot" && !line.state)
        .map((line) => line.text),
    userId: (user: string) => world.person(user).id,
    channelId: (user: string, channel?: string) => channelOf(user, channel).id,
    guildId: (channel: string) => guildOf(channelOf("", channel)),
    block: (user: string) => void (world.person(user).blocking = true),
  };
}

function shown(entry: Entry, world: World): Shown {
  const { id, text, edits, files, interaction, buttons } = entry;
  const unanswered = isCommand(entry) && interaction !== undefined && world.unanswered(interaction);
  const state = entry.thinking ? "thinking" : unanswered ? "unanswered" : undefined;
  return {
    from: entry.author?.name ?? "bot",
    id,
    text,
    edits,
    pings: [...entry.pings],
    ...(state ? { state } : {}),
    ...(files.length > 0 ? { files } : {}),
    ...(buttons.length > 0 && { buttons: buttons.map(({ label }) => label) }),
  };
}

function ask(
  { world, gateway, commands, bot, fileBytes }: Town,
  {
    user,
    question,
    command: name = "ask",
    where = "dm",
    ...more
  }: AskOptions & { user: string; question: string },
): string {
  const command = commands.find((known) => known.name === name);
  if (!command) throw new Error(`The bot has registered no command /${name}`);
  checkAnswer(command, question);
  const person = world.person(user);
  const userInstallOnly = where === "user-install";
  const channel =
    where === "dm"
      ? world.directChannel(person)
      : world.serverChannel(more.channel ?? (userInstallOnly ? "elsewhere" : "general"), !userInstallOnly);
  const interaction = world.openInteraction({ person, channel, userInstallOnly });
  const answer = command.options.length > 0 ? question : "";
  world.say(channel, { id: interaction.id, author: person, text: `/${name} ${answer}`.trim(), interaction });
  const d = interactionJson(
    interaction,
    { command },
    {
      bot,
      place: where,
      locale: more.locale ?? "en-US",
      answer,
      fileBytes,
    },
  );
  gateway.dispatch({ t: "INTERACTION_CREATE", d, intent: 0 });
  return interaction.id;
}

/** A press of the lowest button with this label. */
function press(
  { world, gateway, bot, fileBytes }: Town,
  { user, label, channel: name }: { user: string; label: string; channel: string | undefined },
): string {
  const person = world.person(user);
  const channel =
    name === undefined ? world.directChannel(person) : world.serverChannel(name, name !== "elsewhere");
  const all = channel.entries.flatMap((entry) => entry.buttons.map((button) => ({ entry, button })));
  const found = all.findLast(({ button }) => button.label === label);
  if (!found) throw new Error(`There is no button "${label}"`);
  const place = name === undefined ? "dm" : name === "elsewhere" ? "user-install" : "guild";
  const interaction = world.openInteraction({ person, channel, userInstallOnly: place === "user-install" });
  const use = { pressed: found.entry, id: found.button.id };
  const d = interactionJson(interaction, use, { bot, place, locale: "en-US", answer: "", fileBytes });
  gateway.dispatch({ t: "INTERACTION_CREATE", d, intent: 0 });
  return interaction.id;
}

/** Discord's client does not let a command go whose option is missing or too long. */
function checkAnswer({ name, options: [option] }: RegisteredCommand, question: string): void {
  if (option?.required && !question) throw new Error(`/${name} needs "${option.name}"`);
  if (option?.max_length !== undefined && codePoints(question) > option.max_length)
    throw new Error(`/${name} takes at most ${option.max_length} characters`);
  if (question && option?.choices && !option.choices.some(({ value }) => value === question))
    throw new Error(`/${name} takes one of ${option.choices.map(({ value }) => value).join(", ")}`);
}
