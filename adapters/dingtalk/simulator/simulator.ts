import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { createCards } from "./cards.ts";
import { createChats, type SimulatedChat, type SimulatedMessage } from "./chats.ts";
import { deliverByHttp } from "./courier.ts";
import { type CallName, createFaults, type Fault } from "./faults.ts";
import { createLimiter } from "./limiter.ts";
import { Refusal } from "./refusal.ts";
import { createRobot, toPayload } from "./robot.ts";
import { createStream, type Stream } from "./stream.ts";

/** How the simulated DingTalk is set up. */
export interface DingtalkSimulatorOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** After this time a message that nobody has acknowledged comes again, in ms; 60 s as by the real one. */
  readonly redeliverMs?: number;
  /** How long a session webhook lasts, in ms; 90 minutes by default. */
  readonly sessionMs?: number;
  /** How long an access token lasts, in seconds; two hours as by the real one. */
  readonly tokenSeconds?: number;
  /** The name by which robots reach it, where a proxy leads from it to here; 127.0.0.1 and the port if absent. */
  readonly host?: string;
  /** Whether a robot may send no more than 20 messages a minute; absent: as many as it likes. */
  readonly limits?: boolean;
  /** The one card template that is published; absent: none. */
  readonly cardTemplate?: { readonly id: string; readonly field: string };
  /** Told whenever a call was answered: what people see may have changed. */
  readonly changed?: () => void;
}

/** A call of the robot. */
export interface SimulatedCall {
  readonly name: CallName;
  readonly payload: unknown;
  /** In ms since the epoch. */
  readonly at: number;
}

/** A stand-in for DingTalk's open API and gateway on 127.0.0.1, with its limits and refusals, and its people. */
export interface DingtalkSimulator {
  readonly clientId: string;
  readonly clientSecret: string;
  /** What a client takes for https://api.dingtalk.com. */
  readonly apiRoot: string;
  /** Every call so far, those that met a fault included; `connect` is a WebSocket. */
  readonly calls: readonly SimulatedCall[];
  readonly stream: Omit<Stream, "ticket" | "upgrade" | "push" | "close">;
  /** Somebody writes to the robot, or mentions it in the group of this name; returns the message's id. */
  say(user: string, text: string, options?: { readonly chat?: string }): string;
  /** The same with any fields, such as `{ msgtype: "picture", content: {…} }`; its own fields win. */
  message(user: string, fields: object, options?: { readonly chat?: string }): string;
  /** From now on messages go to this URL instead of the stream; the statuses of the answers. */
  callBack(url: string): { readonly statuses: readonly number[] };
  /** What stands in the person's conversation with the robot, or in the group of this name, from top to bottom. */
  screen(name: string): readonly SimulatedMessage[];
  /** The robot's texts there. */
  shows(name: string): readonly string[];
  staffId(user: string): string;
  /** Plans a fault for calls to come; returns how to call it off. */
  fail(fault: Fault): () => void;
  /** Ends all session webhooks, or all access tokens, before their time. */
  expire(what: "sessions" | "tokens"): void;
  close(): Promise<void>;
}

const PORTAL = "<!doctype html><title>Hotel Wi-Fi</title><p>Please log in to use the internet.</p>";

type Env = { Bindings: HttpBindings };

/** Starts a simulated DingTalk; it forgets everything when closed. */
export async function startDingtalkSimulator(
  options: DingtalkSimulatorOptions = {},
): Promise<DingtalkSimulator> {
  const {
    clientId = "dingsimulatedclient",
    clientSecret = "SIMULATED-SECRET-that-belongs-to-nobody",
    redeliverMs = 60_000,
    sessionMs = 90 * 60_000,
    tokenSeconds = 7200,
    limits = false,
  } = options;
  const chats = createChats();
  const stream = createStream({ redeliverMs });
  const robotCode = clientId;
  const robot = createRobot({
    robotCode,
    chats,
    sessionMs,
    limiter: limits ? createLimiter() : () => true,
  });
  const cards = createCards({ robotCode, chats, template: options.cardTemplate });
  const faults = createFaults();
  const calls: SimulatedCall[] = [];
  const over = new AbortController();
  /** Until when each token lasts, in ms since the epoch. */
  const tokens = new Map<string, number>();
  let callback: { readonly url: string; readonly statuses: number[] } | undefined;

  const app = new Hono<Env>();
  route("token", "/v1.0/oauth2/accessToken", ({ appKey, appSecret }) => {
    if (appKey !== clientId || appSecret !== clientSecret)
      throw new Refusal(400, "invalidClientIdOrSecret", "无效的clientId或者clientSecret");
    const accessToken = randomUUID().replaceAll("-", "");
    tokens.set(accessToken, Date.now() + tokenSeconds * 1000);
    return { accessToken, expireIn: tokenSeconds };
  });
  route("open", "/v1.0/gateway/connections/open", (fields) => {
    if (fields["clientId"] !== clientId || fields["clientSecret"] !== clientSecret)
      throw new Refusal(401, "authFailed", "鉴权失败");
    return { endpoint: `${known.replace("http", "ws")}/connect`, ticket: stream.ticket() };
  });
  route(
    "person",
    "/v1.0/robot/oToMessages/batchSend",
    (fields, c) => authorised(c) && robot.toPerson(fields),
  );
  route("group", "/v1.0/robot/groupMessages/send", (fields, c) => authorised(c) && robot.toGroup(fields));
  const cardPath = "/v1.0/card/instances/createAndDeliver";
  route("card", cardPath, (fields, c) => authorised(c) && cards.createAndDeliver(fields));
  route("streaming", "/v1.0/card/streaming", (fields, c) => authorised(c) && cards.stream(fields));
  route("webhook", "/robot/sendBySession", (fields, c) =>
    robot.webhook(c.req.query("session") ?? "", fields),
  );
  app.notFound(() => refuse(new Refusal(404, "InvalidAction.NotFound", "no such API")));
  const server = createAdaptorServer({ fetch: app.fetch });
  const { changed } = options;
  if (changed) {
    server.on("request", (_request: unknown, response: ServerResponse) => response.once("close", changed));
  }
  server.on("upgrade", (request, socket, head) => {
    calls.push({ name: "connect", payload: undefined, at: Date.now() });
    const how = faults.meet("connect");
    if (how === undefined) return stream.upgrade(request, socket, head);
    if (typeof how === "object")
      return socket.end(`HTTP/1.1 ${how.status} Simulated\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    if (how !== "hang") socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;

  const known = options.host ? `http://${options.host}` : url;

  return {
    clientId,
    clientSecret,
    apiRoot: url,
    calls,
    stream,
    // In a group a space is left of the name by which the robot was called.
    say: (user, text, where = {}) =>
      tell(
        user,
        { msgtype: "text", text: { content: where.chat === undefined ? text : ` ${text} ` } },
        where.chat,
      ),
    message: (user, fields, where = {}) => tell(user, fields, where.chat),
    callBack: (to) => (callback = { url: to, statuses: [] }),
    screen: (name) => [...chats.named(name).messages],
    shows: (name) =>
      chats
        .named(name)
        .messages.filter(({ from }) => from === "bot")
        .map(({ text }) => text),
    staffId: (user) => chats.person(user).staffId,
    fail: (fault) => faults.add(fault),
    expire: (what) => (what === "sessions" ? robot.expireAll() : tokens.clear()),
    close: async () => {
      stream.close();
      over.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };

  function tell(user: string, content: object, group: string | undefined): string {
    const person = chats.person(user);
    const chat: SimulatedChat = group === undefined ? chats.named(user, false) : chats.named(group, true);
    const { session, until } = robot.open(chat);
    const webhook = `${known}/robot/sendBySession?session=${session}`;
    const msgId = `msg${randomUUID().replaceAll("-", "")}==`;
    const payload = toPayload({ chat, person, msgId, content }, { robotCode, webhook, until });
    chat.messages.push({ from: user, text: wordsOf(content) });
    if (callback) void byHttp(callback, payload);
    else stream.push(payload);
    return msgId;
  }

  async function byHttp(
    { url: to, statuses }: { url: string; statuses: number[] },
    data: object,
  ): Promise<void> {
    statuses.push(await deliverByHttp(to, clientSecret, data));
  }

  function authorised(c: Context<Env>): true {
    const until = tokens.get(c.req.header("x-acs-dingtalk-access-token") ?? "") ?? 0;
    if (until > Date.now()) return true;
    throw new Refusal(400, "InvalidAuthentication", "不合法的access_token");
  }

  function route(
    name: CallName,
    path: string,
    act: (fields: Record<string, unknown>, c: Context<Env>) => object,
  ): void {
    app.on(name === "streaming" ? "PUT" : "POST", path, async (c) => {
      const payload: unknown = await c.req.json().catch(() => ({}));
      calls.push({ name, payload, at: Date.now() });
      const perform = () => attempt(() => act(Object(payload) as Record<string, unknown>, c));
      const how = faults.meet(name);
      return how === undefined ? perform() : spoil(c, how, perform);
    });
  }

  async function spoil(c: Context<Env>, how: Fault["how"], act: () => Response): Promise<Response> {
    if (how === "html") return c.html(PORTAL);
    if (typeof how === "object")
      return Response.json(how.body ?? { code: "simulated", message: "simulated fault" }, {
        status: how.status,
      });
    if (how === "after") act();
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

/** What a person sees of what they have sent. */
function wordsOf(content: object): string {
  const text: unknown = "text" in content ? content.text : undefined;
  return typeof text === "object" && text && "content" in text
    ? String(text.content)
    : JSON.stringify(content);
}

function attempt(act: () => object): Response {
  try {
    return Response.json(act());
  } catch (error) {
    if (error instanceof Refusal) return refuse(error);
    throw error;
  }
}

function refuse({ status, code, message }: Refusal): Response {
  return Response.json({ requestid: randomUUID().toUpperCase(), code, message }, { status });
}
