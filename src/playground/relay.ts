import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { ending } from "./stream.ts";

/** The service that answers in the end. */
export interface Service {
  /** With "/v1" or what it has instead. */
  readonly baseURL: string;
  readonly key?: string | undefined;
}

/** A model service on 127.0.0.1 that passes everything on to another one, and fails on demand. */
export interface Relay {
  readonly baseURL: string;
  /** What its own clients must show. */
  readonly key: string;
  /** Whether answers come slowly. */
  slow: boolean;
  /** Whether every question is answered with 429. */
  refusing: boolean;
  /** Whether the real service answers, where there is one: that costs money. */
  real: boolean;
  close(): Promise<void>;
}

/** A slow model pauses for so long after each piece of its answer, in ms. */
const SLOW_MS = 250;

const REFUSED = {
  error: { message: "Rate limit reached: please wait.", type: "requests", code: "rate_limit_exceeded" },
};

/** Starts it on any free port; the demo answers until it is told to ask the real service. */
export async function startRelay({
  demo,
  real,
}: {
  demo: Service;
  real?: Service | undefined;
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

/** A service may send many events at once: each is a piece of its answer. */
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
