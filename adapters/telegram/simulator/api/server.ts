import { type ServerResponse, STATUS_CODES } from "node:http";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Fault, Faults } from "../faults.ts";
import { Refusal } from "../refusal.ts";
import type { Fields, Method } from "./method.ts";

/** The HTTP server of the simulated Bot API. */
export interface ApiServer {
  /** The address of the server, without a slash at the end. */
  readonly url: string;
  /** Closes every connection, including polls. */
  dropSockets(): void;
  close(): Promise<void>;
}

export interface ApiServerOptions {
  /** 0 for any free port. */
  readonly port: number;
  readonly token: string;
  /** The methods, by name in lower case. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly faults: Faults;
  /** Called for each call of the bot, before it is performed. */
  readonly called: (method: string, payload: Fields) => void;
  /** Called after each response. */
  readonly answered: (() => void) | undefined;
}

type Env = { Bindings: HttpBindings };

/** Starts the server on 127.0.0.1. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { token, methods, faults, called, answered } = options;
  const closing = new AbortController();
  const app = new Hono<Env>();
  app.all("/:bot/:method", async (c) => {
    const { bot: path, method: name } = c.req.param();
    if (!/^bot\d+:/.test(path)) return refuse(c, new Refusal(404, "Not Found"));
    if (path !== `bot${token}`) return refuse(c, new Refusal(401, "Unauthorized"));
    const method = methods.get(name.toLowerCase());
    const payload = await readFields(c);
    called(name, payload);
    const fault = faults.next(name);
    const act = () => perform(c, method, payload);
    return fault === undefined ? act() : fail({ c, fault, act, signal: closing.signal });
  });
  app.notFound((c) => refuse(c, new Refusal(404, "Not Found")));
  const server = createAdaptorServer({ fetch: app.fetch });
  if (answered)
    server.on("request", (_: unknown, response: ServerResponse) => response.once("close", answered));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const dropSockets = () => {
    if ("closeAllConnections" in server) server.closeAllConnections();
  };

  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    dropSockets,
    close: async () => {
      closing.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      dropSockets();
      await closed;
    },
  };
}

async function perform(c: Context<Env>, method: Method | undefined, payload: Fields): Promise<Response> {
  const gone = new AbortController();
  c.env.outgoing.once("close", () => gone.abort());
  try {
    if (!method) throw new Refusal(404, "Not Found: method not found");
    return c.json({ ok: true, result: await method(payload, gone.signal) });
  } catch (error) {
    if (error instanceof Refusal) return refuse(c, error);
    throw error;
  }
}

function refuse(c: Context<Env>, { code, message, parameters }: Refusal): Response {
  const seconds = parameters?.retry_after;
  return Response.json(
    { ok: false, error_code: code, description: message, ...(parameters && { parameters }) },
    { status: code, headers: seconds === undefined ? {} : { "retry-after": String(seconds) } },
  );
}

/** The login page of a captive portal. */
const PORTAL = "<!doctype html><title>Hotel Wi-Fi</title><p>Please log in to use the internet.</p>";

interface FaultyCall {
  readonly c: Context<Env>;
  readonly fault: Fault["how"];
  readonly act: () => Promise<Response>;
  readonly signal: AbortSignal;
}

/** Answers a call with the fault; `act` performs the call. */
async function fail({ c, fault, act, signal }: FaultyCall): Promise<Response> {
  if (fault === "html") return c.html(PORTAL);
  if (typeof fault === "object") {
    const { status, body } = fault;
    const description = STATUS_CODES[status] ?? "simulated fault";
    return Response.json(body ?? { ok: false, error_code: status, description }, { status });
  }
  if (fault === "after") await act();
  if (fault === "hang") await closed(c.env, signal);
  c.env.incoming.socket.destroy();
  // A copy: the server (2.1.8) may send the original without checking for this mark.
  return RESPONSE_ALREADY_SENT.clone();
}

/** Resolves when the client disconnects or the signal aborts. */
function closed({ outgoing }: HttpBindings, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener("abort", done);
      resolve();
    };
    outgoing.once("close", done);
    signal.addEventListener("abort", done);
  });
}

const Json = z.record(z.string(), z.unknown());

/** Reads the fields from JSON, a form or the query, as the Bot API does. Objects in a form or the query are JSON. */
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
