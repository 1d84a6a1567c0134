import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { createCards } from "./cards.ts";
import { createChats, type SimulatedMessage } from "./chats.ts";
import { deliverByHttp } from "./courier.ts";
import { createFaults, type Fault } from "./faults.ts";
import { createLimiter } from "./limiter.ts";
import { createOpenApi, type SimulatedCall } from "./open-api.ts";
import { createRobot, toPayload } from "./robot.ts";
import { createStream, type Stream } from "./stream.ts";

/** Options of the simulated DingTalk. */
export interface DingtalkSimulatorOptions {
  /** Any free port if 0 or absent. */
  readonly port?: number;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Time after which an unacknowledged message is sent again, in ms; 60 s if absent, as on DingTalk. */
  readonly redeliverMs?: number;
  /** Lifetime of a session webhook, in ms; 90 minutes if absent. */
  readonly sessionMs?: number;
  /** Lifetime of an access token, in seconds; two hours if absent, as on DingTalk. */
  readonly tokenSeconds?: number;
  /** Host under which robots reach the simulator, such as a proxy's; 127.0.0.1 and the port if absent. */
  readonly host?: string;
  /** Whether a robot may send at most 20 messages a minute; without a limit if absent. */
  readonly limits?: boolean;
  /** The only published card template; none if absent. */
  readonly cardTemplate?: { readonly id: string; readonly field: string };
  /** Called after each answered call, when screens may have changed. */
  readonly changed?: () => void;
}

/** Simulates DingTalk's open API and gateway on 127.0.0.1, with their limits and refusals, and the users. */
export interface DingtalkSimulator {
  readonly clientId: string;
  readonly clientSecret: string;
  /** The root of the API, instead of https://api.dingtalk.com. */
  readonly apiRoot: string;
  /** Every call so far, including those that met a fault; `connect` is a WebSocket. */
  readonly calls: readonly SimulatedCall[];
  readonly stream: Omit<Stream, "ticket" | "upgrade" | "push" | "close">;
  /** A user writes to the robot, or mentions it in the group of this name; returns the message's id. */
  say(user: string, text: string, options?: { readonly chat?: string }): string;
  /** The same with any fields, such as `{ msgtype: "picture", content: {…} }`, which override the usual ones. */
  message(user: string, fields: object, options?: { readonly chat?: string }): string;
  /** Sends messages to this URL from now on, instead of over the stream; returns the statuses of the answers. */
  callBack(url: string): { readonly statuses: readonly number[] };
  /** The messages in the user's conversation with the robot, or in the group of this name, from top to bottom. */
  screen(name: string): readonly SimulatedMessage[];
  /** The robot's texts on that screen. */
  shows(name: string): readonly string[];
  staffId(user: string): string;
  /** Applies a fault to future calls; the returned function removes it. */
  fail(fault: Fault): () => void;
  /** Ends all session webhooks, or all access tokens, early. */
  expire(what: "sessions" | "tokens"): void;
  close(): Promise<void>;
}

/** Starts a simulated DingTalk, whose state ends when it is closed. */
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
  const robotCode = clientId;
  const calls: SimulatedCall[] = [];
  const record = (call: SimulatedCall) => void calls.push(call);
  const chats = createChats();
  const stream = createStream({ redeliverMs });
  const limiter = limits ? createLimiter() : () => true;
  const robot = createRobot({ robotCode, chats, sessionMs, limiter });
  const cards = createCards({ robotCode, chats, template: options.cardTemplate });
  const faults = createFaults();
  const openConnection = () => ({
    endpoint: `${publicUrl.replace("http", "ws")}/connect`,
    ticket: stream.ticket(),
  });
  const credentials = { clientId, clientSecret };
  const api = createOpenApi({ ...credentials, tokenSeconds, robot, cards, faults, openConnection, record });
  const server = createAdaptorServer({ fetch: api.fetch });
  serveConnections(server, { stream, faults, record, changed: options.changed });
  await listen(server, options.port ?? 0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const publicUrl = options.host ? `http://${options.host}` : url;
  let callback: { readonly url: string; readonly statuses: number[] } | undefined;

  return {
    ...credentials,
    apiRoot: url,
    calls,
    stream,
    say: (user, text, { chat } = {}) => {
      // In a group, DingTalk replaces the mention of the robot with a space.
      const content = chat === undefined ? text : ` ${text} `;
      return deliver(user, { msgtype: "text", text: { content } }, chat);
    },
    message: (user, fields, { chat } = {}) => deliver(user, fields, chat),
    callBack: (to) => (callback = { url: to, statuses: [] }),
    screen: (name) => [...chats.named(name).messages],
    shows: (name) =>
      chats
        .named(name)
        .messages.filter(({ from }) => from === "bot")
        .map(({ text }) => text),
    staffId: (user) => chats.person(user).staffId,
    fail: (fault) => faults.add(fault),
    expire: (what) => (what === "sessions" ? robot.expireAll() : api.expireTokens()),
    close: async () => {
      stream.close();
      api.close();
      const closed = new Promise((resolve) => server.close(resolve));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };

  /** Delivers a user's message to the robot, over the stream or by callback. */
  function deliver(user: string, content: object, group: string | undefined): string {
    const person = chats.person(user);
    const chat = group === undefined ? chats.named(user, false) : chats.named(group, true);
    const { session, until } = robot.open(chat);
    const webhook = `${publicUrl}/robot/sendBySession?session=${session}`;
    const msgId = `msg${randomUUID().replaceAll("-", "")}==`;
    const payload = toPayload({ chat, person, msgId, content }, { robotCode, webhook, until });
    chat.messages.push({ from: user, text: shownText(content) });
    if (callback) void callRobot(callback, payload);
    else stream.push(payload);
    return msgId;
  }

  async function callRobot(
    { url: to, statuses }: { url: string; statuses: number[] },
    data: object,
  ): Promise<void> {
    statuses.push(await deliverByHttp(to, clientSecret, data));
  }
}

type SimulatorServer = ReturnType<typeof createAdaptorServer>;

interface Connections {
  readonly stream: Stream;
  readonly faults: ReturnType<typeof createFaults>;
  readonly record: (call: SimulatedCall) => void;
  readonly changed: (() => void) | undefined;
}

/** Accepts WebSocket connections, and reports answered requests. */
function serveConnections(server: SimulatorServer, { stream, faults, record, changed }: Connections): void {
  if (changed)
    server.on("request", (_request: unknown, response: ServerResponse) => response.once("close", changed));
  server.on("upgrade", (request, socket, head) => {
    record({ name: "connect", payload: undefined, at: Date.now() });
    const how = faults.meet("connect");
    if (how === undefined) return stream.upgrade(request, socket, head);
    if (typeof how === "object")
      return socket.end(`HTTP/1.1 ${how.status} Simulated\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    if (how !== "hang") socket.destroy();
  });
}

async function listen(server: SimulatorServer, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
}

/** The text that a user sees of a message that they sent. */
function shownText(content: object): string {
  const text: unknown = "text" in content ? content.text : undefined;
  return typeof text === "object" && text && "content" in text
    ? String(text.content)
    : JSON.stringify(content);
}
