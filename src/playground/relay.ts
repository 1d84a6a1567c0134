import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { ending } from "./stream.ts";

/** A service to which requests are passed on. */
export interface ModelService {
  /** Includes "/v1" or its equivalent. */
  readonly baseURL: string;
  readonly key?: string | undefined;
}

/** A model service on 127.0.0.1 that passes requests on to another service, and fails on request. */
export interface Relay {
  readonly baseURL: string;
  /** The key that its clients must send. */
  readonly key: string;
  /** Whether answers are slow. */
  slow: boolean;
  /** Whether every question is refused with 429. */
  refusing: boolean;
  /** Whether the real service answers, if there is one. This costs money. */
  real: boolean;
  close(): Promise<void>;
}

/** How long a slow model pauses after each chunk of its answer, in ms. */
const SLOW_MS = 250;

const REFUSED = {
  error: { message: "Rate limit reached: please wait.", type: "requests", code: "rate_limit_exceeded" },
};

/** Starts a relay on any free port; the demo model answers until `real` is set. */
export async function startRelay({
  demo,
  real,
}: {
  demo: ModelService;
  real?: ModelService | undefined;
}): Promise<Relay> {
  const key = `sk-playground-${randomUUID()}`;
  const faults = { slow: false, refusing: false, real: false };
  const app = new Hono().basePath("/v1");
  app.use(async (c, next) => {
    if (c.req.header("authorization") === `Bearer ${key}`) return next();
    return c.json({ error: { message: "This is not the playground's key." } }, 401);
  });
  app.all("*", async (c) => {
    if (faults.refusing && c.req.method === "POST") return c.json(REFUSED, 429, { "retry-after": "1" });
    const { baseURL, key: serviceKey } = (faults.real && real) || demo;
    const response = await fetch(`${baseURL.replace(/\/$/, "")}${c.req.path.slice("/v1".length)}`, {
      method: c.req.method,
      headers: {
        "content-type": c.req.header("content-type") ?? "application/json",
        ...(serviceKey && { authorization: `Bearer ${serviceKey}` }),
      },
      ...(c.req.method !== "GET" && { body: await c.req.text() }),
    });
    const type = response.headers.get("content-type") ?? "application/json";
    const wait = response.headers.get("retry-after");
    const body = response.body && ending(slowed(response.body, () => faults.slow));
    return new Response(body, {
      status: response.status,
      headers: { "content-type": type, ...(wait && { "retry-after": wait }) },
    });
  });
  app.onError((error, c) =>
    c.json({ error: { message: `The model's service cannot be reached: ${error.message}` } }, 502),
  );
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return Object.assign(faults, {
    baseURL: `http://127.0.0.1:${port}/v1`,
    key,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  });
}

/** Pauses after each event of the stream; one read may contain many events. */
function slowed(body: ReadableStream<Uint8Array>, isSlow: () => boolean): ReadableStream<Uint8Array> {
  const pauses = new TransformStream<string, string>({
    transform: async (text, controller) => {
      for (const event of text.split(/(?<=\n\n)/)) {
        controller.enqueue(event);
        if (isSlow()) await sleep(SLOW_MS);
      }
    },
  });
  return body.pipeThrough(new TextDecoderStream()).pipeThrough(pauses).pipeThrough(new TextEncoderStream());
}
