import { randomUUID } from "node:crypto";
import { type ServerResponse, STATUS_CODES } from "node:http";
import { createAdaptorServer, type HttpBindings, type ServerType } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { createChats, type SimulatedChat } from "./chats.ts";
import { createDrafts, type SimulatedDraft } from "./drafts.ts";
import type { SimulatedEntity } from "./entities.ts";
import { createFaults, type Fault } from "./faults.ts";
import { createFeed } from "./feed.ts";
import { createDraftFlood, createFlood, type FloodLimits, REAL_FLOOD_LIMITS } from "./flood.ts";
import { createMethods, type Fields, type Method, toMessage } from "./methods.ts";
import { menuIn, type Menus, type SimulatedCommand } from "./menus.ts";
import { Refusal } from "./refusal.ts";
import type { SimulatedRich } from "./rich/rich.ts";
import { saidBy } from "./said.ts";

/** How the simulated Telegram is set up. */
export interface TelegramSimulatorOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly token?: string;
  /** The bot's name without "@". */
  readonly username?: string;
  /** Flood control with the real figures (true), or with your own; absent: none. */
  readonly flood?: boolean | Partial<FloodLimits>;
  /** Whether it knows rich messages, as servers since Bot API 10.1 do (true). */
  readonly rich?: boolean;
  /** Whether it knows drafts, as servers since Bot API 9.5 do (true). */
  readonly drafts?: boolean;
  /** How long a draft is shown, in ms; 30 s as by the real one (TDLib's pending_text_message_period). */
  readonly draftMs?: number;
  /** The pause after the first failed delivery to a webhook, in ms; 1 s as the real one. */
  readonly webhookRetryMs?: number;
  /** So many calls, and messages in each chat, are remembered, the latest; all if absent. */
  readonly keep?: number;
  /** Told whenever a call was answered: what people see may have changed. */
  readonly changed?: () => void;
}

/** How something is said. */
export interface SayOptions {
  /** In the group of this name; absent: in private. */
  readonly chat?: string;
  /** The language of the person's app, such as "zh-hans"; "en" until told otherwise. */
  readonly locale?: string;
  /** The id of the message that it answers. */
  readonly replyTo?: number;
  /** The topic that it stands in. */
  readonly thread?: number;
}

/** A message as a person sees it. */
export interface ShownMessage {
  /** A person's name, or "bot". */
  readonly from: string;
  readonly id: number;
  readonly text: string;
  readonly entities: readonly SimulatedEntity[];
  /** Of a rich message; `text` is how it reads. */
  readonly rich?: SimulatedRich;
  /** What stands on the buttons below it. */
  readonly buttons?: readonly string[];
  /** How often it was changed. */
  readonly edits: number;
}

/** A call of the bot. */
export interface SimulatedCall {
  readonly method: string;
  readonly payload: Fields;
  /** In ms since the epoch. */
  readonly at: number;
}

/** A stand-in for Telegram's Bot API on 127.0.0.1, with its real limits and refusals, and its people. */
export interface TelegramSimulator {
  readonly token: string;
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  /** What a client takes for https://api.telegram.org. */
  readonly apiRoot: string;
  /** Every call so far, those that met a fault included. */
  readonly calls: readonly SimulatedCall[];
  /** How many updates the bot has not acknowledged. */
  readonly pending: number;
  /** Somebody writes to the bot or in a group; returns the update's id. */
  say(user: string, text: string, options?: SayOptions): number;
  /** Queues any update, however odd, such as `{ message: 5 }`; its own update_id wins; returns the number given. */
  update(fields: object): number;
  /** What stands in the person's private chat, or in the group of this name, from top to bottom. */
  screen(name: string): readonly ShownMessage[];
  /** The bot's texts there. */
  shows(name: string): readonly string[];
  /** What the bot is writing to this person just now, if they see it; it is no message. */
  draft(user: string): SimulatedDraft | undefined;
  /** The person presses the button below the draft; returns the update's id. */
  stop(user: string): number;
  /** The person presses a button of the bot, the lowest with this text; returns the update's id. */
  press(user: string, button: string, options?: { readonly chat?: string }): number;
  /** So many presses have not been answered. */
  readonly unanswered: number;
  /** The menu of commands that somebody's app shows in this language, such as "zh". */
  commands(language: string): readonly SimulatedCommand[];
  /** Whether the bot is shown to be typing there. */
  typing(name: string): boolean;
  userId(user: string): number;
  /** The person's private chat, or the group of this name. */
  chatId(name: string): number;
  /** Plans a fault for calls to come; returns how to call it off. */
  fail(fault: Fault): () => void;
  /** From now on the bot may not write to this person; `false`: it may again. */
  block(user: string, blocked?: boolean): void;
  /** Cuts every connection, also one that waits for updates. */
  dropSockets(): void;
  /** The group becomes a supergroup, which has another id. */
  migrate(group: string): void;
  close(): Promise<void>;
}

/** Looks like a token of @BotFather, and belongs to nobody. */
const TOKEN = "7000000001:SIMULATED-TOKEN-belongs-to-nobody-at";

const PORTAL = "<!doctype html><title>Hotel Wi-Fi</title><p>Please log in to use the internet.</p>";

const Json = z.record(z.string(), z.unknown());

type Env = { Bindings: HttpBindings };

/** Starts a simulated Telegram; it forgets everything when closed. */
export async function startTelegramSimulator(
  options: TelegramSimulatorOptions = {},
): Promise<TelegramSimulator> {
  const {
    token = TOKEN,
    username = "colloquy_bot",
    flood,
    rich = true,
    webhookRetryMs = 1000,
    draftMs = 30_000,
    keep = Number.POSITIVE_INFINITY,
  } = options;
  const bot = { id: Number(token.split(":")[0]), username };
  const chats = createChats(keep);
  const feed = createFeed({ webhookRetryMs });
  const faults = createFaults();
  const calls: SimulatedCall[] = [];
  const over = new AbortController();
  const limits = { ...REAL_FLOOD_LIMITS, ...(typeof flood === "object" && flood) };
  const unlimited = () => undefined;
  const presses = new Set<string>();
  const menus: Menus = new Map();
  const drafts = createDrafts({
    chats,
    feed,
    rich,
    flood: flood ? createDraftFlood(limits) : unlimited,
    lastsMs: draftMs,
  });
  const methods = new Map([
    ...createMethods({
      bot,
      chats,
      feed,
      rich,
      presses,
      menus,
      flood: flood ? createFlood(limits) : unlimited,
    }),
    ...(options.drafts === false ? [] : drafts.methods),
  ]);

  const app = new Hono<Env>();
  app.all("/:bot/:method", async (c) => {
    const { bot: path, method } = c.req.param();
    if (!/^bot\d+:/.test(path)) return refuse(c, new Refusal(404, "Not Found"));
    if (path !== `bot${token}`) return refuse(c, new Refusal(401, "Unauthorized"));
    const run = methods.get(method.toLowerCase());
    const payload = await readFields(c);
    calls.push({ method, payload, at: Date.now() });
    calls.splice(0, Math.max(0, calls.length - keep));
    const how = faults.meet(method);
    return how === undefined ? perform(c, run, payload) : spoil(c, how, () => perform(c, run, payload));
  });
  app.notFound((c) => refuse(c, new Refusal(404, "Not Found")));
  const server = createAdaptorServer({ fetch: app.fetch });
  if (options.changed) tellChanges(server, options.changed);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;

  return {
    token,
    url,
    apiRoot: `${url}/`,
    calls,
    get pending() {
      return feed.pending;
    },
    say: (user, text, { chat: group, locale, replyTo, thread } = {}) => {
      const sender = chats.person(user);
      sender.locale = locale ?? sender.locale;
      const chat = group === undefined ? chats.named(user) : chats.named(group, "group");
      const place = { ...(replyTo !== undefined && { replyTo }), ...(thread !== undefined && { thread }) };
      return feed.add({
        message: toMessage(chats.add(chat, { ...saidBy(text), sender, ...place }), chat, bot),
      });
    },
    update: (fields) => feed.add(fields),
    screen,
    shows: (name) =>
      screen(name)
        .filter(({ from }) => from === "bot")
        .map(({ text }) => text),
    draft: (user) => drafts.shownIn(chats.named(user)),
    stop: (user) => drafts.stop(chats.named(user)),
    press: (user, text, { chat: group } = {}) => {
      const chat = group === undefined ? chats.named(user) : chats.named(group);
      const buttons = chat.messages.flatMap((message) =>
        (message.buttons ?? []).map((button) => ({ message, button })),
      );
      const found = buttons.findLast(({ button }) => button.text === text);
      if (!found)
        throw new Error(
          `There is no button "${text}"; there are ${buttons.map(({ button }) => button.text).join(", ")}`,
        );
      const id = randomUUID();
      presses.add(id);
      const { id: from, locale } = chats.person(user);
      return feed.add({
        callback_query: {
          id,
          from: { id: from, is_bot: false, first_name: user, language_code: locale },
          message: toMessage(found.message, chat, bot),
          chat_instance: "1",
          data: found.button.data,
        },
      });
    },
    get unanswered() {
      return presses.size;
    },
    commands: (language) => menuIn(language, menus),
    typing: (name) => chats.named(name).typingUntil > Date.now(),
    userId: (user) => chats.person(user).id,
    chatId: (name) => chats.named(name).id,
    fail: (fault) => faults.add(fault),
    block: (user, blocked = true) => {
      chats.person(user).blocked = blocked;
    },
    dropSockets: () => {
      if ("closeAllConnections" in server) server.closeAllConnections();
    },
    migrate: (group) => {
      const { from, to } = chats.migrate(group);
      feed.add({ message: serviceMessage(from, { migrate_to_chat_id: to.id }) });
    },
    close: async () => {
      feed.close();
      over.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };

  function screen(name: string): ShownMessage[] {
    const chat = chats.named(name);
    return [...(chat.before?.messages ?? []), ...chat.messages].map(
      ({ sender, id, text, entities, rich, buttons, edits }) => ({
        from: sender?.name ?? "bot",
        id,
        text,
        entities,
        ...(rich && { rich }),
        ...(buttons?.length && { buttons: buttons.map((button) => button.text) }),
        edits,
      }),
    );
  }

  async function perform(c: Context<Env>, run: Method | undefined, payload: Fields): Promise<Response> {
    const gone = new AbortController();
    c.env.outgoing.once("close", () => gone.abort());
    try {
      if (!run) throw new Refusal(404, "Not Found: method not found");
      return c.json({ ok: true, result: await run(payload, gone.signal) });
    } catch (error) {
      if (error instanceof Refusal) return refuse(c, error);
      throw error;
    }
  }

  async function spoil(c: Context<Env>, how: Fault["how"], act: () => Promise<Response>): Promise<Response> {
    if (how === "html") return c.html(PORTAL);
    if (typeof how === "object") {
      const description = STATUS_CODES[how.status] ?? "simulated fault";
      return Response.json(how.body ?? { ok: false, error_code: how.status, description }, {
        status: how.status,
      });
    }
    if (how === "after") await act();
    if (how === "hang") await closed(c.env);
    c.env.incoming.socket.destroy();
    // A copy: the original may be of the kind that the server sends without looking for this mark (2.1.8).
    return RESPONSE_ALREADY_SENT.clone();
  }

  /** Until the client has gone, or the simulator is closed. */
  function closed({ outgoing }: HttpBindings): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        over.signal.removeEventListener("abort", done);
        resolve();
      };
      outgoing.once("close", done);
      over.signal.addEventListener("abort", done);
    });
  }
}

function tellChanges(server: ServerType, changed: () => void): void {
  server.on("request", (_request: unknown, response: ServerResponse) => response.once("close", changed));
}

function refuse(c: Context<Env>, { code, message, parameters }: Refusal): Response {
  const seconds = parameters?.retry_after;
  return Response.json(
    { ok: false, error_code: code, description: message, ...(parameters && { parameters }) },
    { status: code, headers: seconds === undefined ? {} : { "retry-after": String(seconds) } },
  );
}

/** The Bot API takes JSON, forms and the query; in the latter two, objects are written as JSON. */
async function readFields(c: Context<Env>): Promise<Fields> {
  const isJson = c.req.header("content-type")?.includes("application/json");
  const form: Fields = isJson ? {} : await c.req.parseBody().catch(() => ({}));
  const plain = Object.entries({ ...c.req.query(), ...form });
  const body = isJson ? Json.safeParse(await c.req.json().catch(() => undefined)).data : undefined;
  return { ...Object.fromEntries(plain.map(([name, value]) => [name, fromForm(value)])), ...body };
}

function fromForm(value: unknown): unknown {
  if (typeof value !== "string" || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function serviceMessage({ id, type, name }: SimulatedChat, fields: object): object {
  return { message_id: 0, date: Math.floor(Date.now() / 1000), chat: { id, type, title: name }, ...fields };
}
