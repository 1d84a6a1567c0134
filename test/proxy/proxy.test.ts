import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttps } from "node:https";
import { createRequire } from "node:module";
import { connect as connectTo, type Socket } from "node:net";
import { inspect } from "node:util";
import { Telegraf, type Telegram } from "telegraf";
import { getGlobalDispatcher, setGlobalDispatcher } from "undici";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { ConfigError } from "../../src/errors.ts";
import { createOpenAI } from "../../src/model/openai.ts";
import { type Proxy, useProxy } from "../../src/proxy/proxy.ts";
import { listen, listenToFailure } from "../../src/testing/contracts/model.ts";
import { type SocksProxy, startSocksProxy } from "../support/socks.ts";
import { until } from "../../src/testing/until.ts";

/** Every tunnel that was asked for, as host:port, and with which password. */
const tunnels: { to: string; password: string | undefined }[] = [];
/** Every request that came out of a tunnel, and the name under which its TLS was opened. */
const arrived: { url: string; name: string | undefined }[] = [];
const servers: Server[] = [];
const before = getGlobalDispatcher();
let proxyPort = 0;
let socks: SocksProxy | undefined;
let plainPort = 0;
let securePort = 0;

/** The first thing that Discord's gateway says. */
const HELLO = JSON.stringify({ op: 10, d: { heartbeat_interval: 45_000 } });
/** What it says to a bot that has told its token. */
const READY = JSON.stringify({
  op: 0,
  t: "READY",
  s: 1,
  d: { v: 10, user: { id: "1", username: "ann_bot" }, guilds: [], session_id: "1", application: { id: "1" } },
});

beforeAll(async () => {
  // The server's certificate is made below: nobody has signed it.
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  plainPort = await open(createHttp(serve));
  securePort = await open(createHttps(selfSigned(), serve));
  for (const server of servers)
    new WebSocketServer({ server }).on("connection", (socket, request) => {
      note(request);
      socket.on("message", (message: Buffer) => {
        if (message.toString().includes('"op":2')) socket.send(READY);
      });
      socket.send(HELLO);
    });
  proxyPort = await open(createHttp(noTunnel).on("connect", tunnel));
  socks = await startSocksProxy({ lead });
});

beforeEach(() => {
  tunnels.length = 0;
  arrived.length = 0;
});

afterEach(() => setGlobalDispatcher(before));

afterAll(() => {
  socks?.close();
  delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

describe.each([
  ["http", "CONNECT"],
  ["https", "CONNECT"],
  ["http", "SOCKS"],
  ["https", "SOCKS"],
])("to %s by %s", (scheme, kind) => {
  const port = scheme === "http" ? 80 : 443;
  const environment = () =>
    kind === "SOCKS" ? { ALL_PROXY: `socks5://127.0.0.1:${socks?.port}` } : byConnect();

  test("discord.js: REST and gateway", async () => {
    useProxy(environment());
    // Only now: it remembers the WebSocket class that it finds.
    const { Client } = await import("discord.js");
    const client = new Client({ intents: [], rest: { api: `${scheme}://discord.test/api` } });
    await client.login("token");
    await until(() => client.user?.username === "ann_bot");
    await client.destroy();
    expect(tunnels.map(({ to }) => to)).toEqual([`discord.test:${port}`, `gateway.discord.test:${port}`]);
  });

  test("fetch", async () => {
    useProxy(environment());
    expect(await (await fetch(`${scheme}://fetch.test/hello`)).json()).toMatchObject({ ok: true });
    expect(tunnels.map(({ to }) => to)).toEqual([`fetch.test:${port}`]);
    expect(arrived).toEqual([{ url: "/hello", name: scheme === "https" ? "fetch.test" : undefined }]);
  });

  test("openai", async () => {
    useProxy(environment());
    const model = createOpenAI({ apiKey: "", baseURL: `${scheme}://openai.test/v1`, model: "m-1" });
    expect((await listen(model, "Hi")).pieces).toEqual(["hello"]);
    expect(tunnels.map(({ to }) => to)).toEqual([`openai.test:${port}`]);
  });

  test("Telegraf, with one tunnel for many calls", async () => {
    const proxy = useProxy(environment());
    const apiRoot = `${scheme}://api.telegram.test`;
    const telegram = botApi(proxy, apiRoot);
    expect(await telegram.getMe()).toMatchObject({ username: "ann_bot" });
    expect(await telegram.getMe()).toMatchObject({ username: "ann_bot" });
    expect(tunnels.map(({ to }) => to)).toEqual([`api.telegram.test:${port}`]);
    expect(arrived.map(({ name }) => name)).toEqual(
      Array(2).fill(scheme === "https" ? "api.telegram.test" : undefined),
    );
  });

  test("ws, by the agent that it is given and by the class that require() hands out", async () => {
    const proxy = useProxy(environment());
    const url = `${scheme.replace("http", "ws")}://socket.test/live`;
    const { WebSocket } = await import("ws");
    expect(await firstWord(new WebSocket(url, { agent: proxy?.agentFor(url) }))).toBe(HELLO);
    const patched: typeof import("ws") = createRequire(import.meta.url)("ws");
    expect(await firstWord(new patched.WebSocket(url, [], { handshakeTimeout: 5000 }))).toBe(HELLO);
    expect(tunnels.map(({ to }) => to)).toEqual([`socket.test:${port}`, `socket.test:${port}`]);
  });
});

describe("what is set", () => {
  test.each([{}, { HTTPS_PROXY: "" }, { HTTPS_PROXY: "http://proxy.test", NO_PROXY: "*" }])(
    "%j: no proxy",
    (env) => {
      expect(useProxy(env)).toBeUndefined();
      expect(getGlobalDispatcher()).toBe(before);
    },
  );

  test.each(["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"])(
    "%s alone is enough for https",
    async (name) => {
      useProxy({ [name]: `127.0.0.1:${proxyPort}` });
      expect((await fetch("https://fetch.test/hello")).status).toBe(200);
    },
  );

  test("the lower-case name wins", async () => {
    useProxy({ https_proxy: `http://127.0.0.1:${proxyPort}`, HTTPS_PROXY: "http://127.0.0.1:1" });
    expect((await fetch("https://fetch.test/hello")).status).toBe(200);
  });

  test("the way to plain http is direct if only HTTPS_PROXY is set", () => {
    const proxy = useProxy({ HTTPS_PROXY: `http://127.0.0.1:${proxyPort}` });
    expect(proxy?.agentFor("http://fetch.test/")).toBeUndefined();
    expect(proxy?.agentFor("wss://fetch.test/")).toBeDefined();
  });

  test("user and password are given to the proxy", async () => {
    const proxy = useProxy(byConnect("ann:s%40cret@"));
    await fetch("https://fetch.test/hello");
    const telegram = botApi(proxy, "https://api.telegram.test");
    await telegram.getMe();
    expect(tunnels.map(({ password }) => password)).toEqual(["ann:s@cret", "ann:s@cret"]);
  });

  test.each([
    ["near.test", "http://near.test/", true],
    ["near.test", "http://api.near.test/", true],
    ["near.test", "http://linear.test/", false],
    [".near.test", "http://api.near.test/", true],
    ["*.near.test", "http://api.near.test/", true],
    ["far.test, near.test", "https://near.test/", true],
    ["far.test NEAR.test", "https://near.test/", true],
    ["near.test:443", "https://near.test/", true],
    ["near.test:8443", "https://near.test/", false],
    ["10.9.8.7", "http://10.9.8.77/", false],
    ["10.9.8.0/24", "http://10.9.8.77/", true],
    ["10.9.8.0/24", "http://10.9.9.77/", false],
    ["10.9.8.0/33", "http://10.9.8.77/", false],
    ["", "https://near.test/", false],
  ])("NO_PROXY %j: %s is direct: %s", async (NO_PROXY, url, direct) => {
    const proxy = useProxy({ ...byConnect(), NO_PROXY });
    expect(proxy?.agentFor(url) === undefined).toBe(direct);
    // Directly nobody is there: these names have no address.
    await fetch(url).catch(() => undefined);
    expect(tunnels).toHaveLength(direct ? 0 : 1);
  });

  test.each(["localhost", "127.0.0.1", "[::1]"])("this machine is reached directly, as %s", async (host) => {
    const proxy = useProxy({ ...byConnect(), NO_PROXY: "far.test" });
    const url = `http://${host}:${plainPort}/hello`;
    expect(proxy?.agentFor(url)).toBeUndefined();
    await fetch(url).catch(() => undefined);
    expect(tunnels).toEqual([]);
  });

  test("an IPv6 address in NO_PROXY may have brackets or not", () => {
    for (const NO_PROXY of ["fd00::7", "[fd00::7]", "[fd00::7]:80"]) {
      const proxy = useProxy({ ...byConnect(), NO_PROXY });
      expect(proxy?.agentFor("http://[fd00::7]/")).toBeUndefined();
      expect(proxy?.agentFor("http://[fd00::8]/")).toBeDefined();
    }
  });
});

describe("what makes no sense is refused, by the name of the variable and without the password", () => {
  test.each([
    ["HTTPS_PROXY", "http://ann:secret@[bad", /not a valid proxy URL/],
    ["https_proxy", "ftp://ann:secret@proxy.test", /not a valid proxy URL/],
    ["HTTP_PROXY", "http://", /not a valid proxy URL/],
    ["all_proxy", "socks5://ann:secret@", /not a valid proxy URL/],
    ["HTTPS_PROXY", "socks6://ann:secret@127.0.0.1:1080", /not a valid proxy URL/],
    ["HTTPS_PROXY", "http://ann:secret%@127.0.0.1:1080", /not a valid proxy URL.*%40/],
  ])("%s=%s", (name, value, message) => {
    const error = thrownBy(() => useProxy({ [name]: value }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: "proxy", message: expect.stringMatching(message) });
    expect(error).toMatchObject({ message: expect.stringMatching(new RegExp(`^${name} `)) });
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/secret@/);
  });
});

describe("a failure of the proxy is told as one, with its setting and without its password", () => {
  const model = (host: string) =>
    createOpenAI({ apiKey: "", baseURL: `https://${host}/v1`, model: "m-1", maxWaitMs: 0 });

  test.each([
    [
      "a wrong password",
      () => byConnect("ann:wrong-secret@"),
      "openai.test",
      /proxy 127.*HTTPS_PROXY\) rejected the user name or password.*\(407\)/,
    ],
    [
      "no way through",
      () => byConnect(),
      "away.test",
      /proxy 127.*HTTPS_PROXY\) refused the connection \(502\)/,
    ],
    [
      "no proxy",
      () => ({ https_proxy: "http://ann:wrong-secret@127.0.0.1:9" }),
      "openai.test",
      /proxy 127.0.0.1:9 \(https_proxy\) cannot be reached \(ECONNREFUSED\)/,
    ],
    [
      "no SOCKS proxy",
      () => ({ ALL_PROXY: "socks5://ann:wrong-secret@127.0.0.1:9" }),
      "openai.test",
      /proxy 127.0.0.1:9 \(ALL_PROXY\) cannot be reached/,
    ],
    [
      "no way through by SOCKS",
      () => ({ ALL_PROXY: `socks5://127.0.0.1:${socks?.port}` }),
      "away.test",
      /\(ALL_PROXY\) refused the connection \(.*HostUnreachable/,
    ],
  ])("%s", async (_, env, host, sentence) => {
    const proxy = useProxy(env());
    const { error } = await listenToFailure(model(host));
    expect(error).toMatchObject({ code: "unreachable", message: expect.stringMatching(sentence) });
    expect(inspect(error, { depth: 20 })).not.toContain("wrong-secret");
    // The same for those on node:http.
    await expect(botApi(proxy, `https://${host}`).getMe()).rejects.toThrow(sentence);
  });

  test("by SOCKS with a password: right, and wrong", async () => {
    const passwords: string[] = [];
    const guarded = await startSocksProxy({
      lead,
      admits: (password) => passwords.push(password) > 0 && password === "ann:s@cret",
    });
    onTestFinished(() => guarded.close());
    useProxy({ https_proxy: `socks5://ann:s%40cret@127.0.0.1:${guarded.port}` });
    expect((await fetch("https://fetch.test/hello")).status).toBe(200);
    useProxy({ https_proxy: `socks://ann:wrong-secret@127.0.0.1:${guarded.port}` });
    const { error } = await listenToFailure(model("openai.test"));
    expect(error).toMatchObject({ message: expect.stringMatching(/rejected the user name or password/) });
    expect(passwords.slice(0, 2)).toEqual(["ann:s@cret", "ann:wrong-secret"]);
  });
});

function botApi(proxy: Proxy | undefined, apiRoot: string): Telegram {
  const { telegram } = new Telegraf("1:token", { telegram: { apiRoot } });
  // Given as an option it would be dropped if the root is plain HTTP.
  return Object.assign(telegram, { options: { ...telegram.options, agent: proxy?.agentFor(apiRoot) } });
}

function byConnect(credentials = ""): Record<string, string> {
  const url = `http://${credentials}127.0.0.1:${proxyPort}`;
  return { HTTP_PROXY: url, HTTPS_PROXY: url };
}

/** As the other proxy. */
function lead(to: string, password: string | undefined): number | undefined {
  tunnels.push({ to, password });
  if (to.startsWith("away.test")) return undefined;
  return to.endsWith(":443") ? securePort : plainPort;
}

/** All names lead to the same two servers: to the secure one by port 443. */
function tunnel(request: IncomingMessage, client: Socket, head: Buffer): void {
  const to = request.url ?? "";
  const credentials = /^Basic (.*)$/.exec(request.headers["proxy-authorization"] ?? "")?.[1];
  const password = credentials && Buffer.from(credentials, "base64").toString();
  tunnels.push({ to, password });
  if (password?.includes("wrong"))
    return void client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  if (to.startsWith("away.test")) return void client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  const upstream = connectTo(to.endsWith(":443") ? securePort : plainPort, "127.0.0.1", () => {
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) upstream.write(head);
    upstream.pipe(client).pipe(upstream);
  });
  for (const socket of [client, upstream]) {
    socket
      .on("error", () => undefined)
      .on("close", () => {
        client.destroy();
        upstream.destroy();
      });
  }
}

function noTunnel(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(405).end();
}

/** A Bot API, a Discord, and a model, as far as they are needed here. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  note(request);
  if (request.url === "/v1/chat/completions") {
    const chunk = { choices: [{ delta: { content: "hello" }, finish_reason: "stop" }] };
    response
      .writeHead(200, { "content-type": "text/event-stream" })
      .end(`data: ${JSON.stringify(chunk)}\n\n`);
    return;
  }
  const scheme = "encrypted" in request.socket ? "wss" : "ws";
  const answer = {
    ok: true,
    result: { id: 1, is_bot: true, first_name: "Ann", username: "ann_bot" },
    url: `${scheme}://gateway.discord.test`,
    shards: 1,
    session_start_limit: { total: 1000, remaining: 999, reset_after: 0, max_concurrency: 1 },
  };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
}

function note(request: IncomingMessage): void {
  const { socket } = request;
  const name =
    "servername" in socket && typeof socket.servername === "string" ? socket.servername : undefined;
  arrived.push({ url: request.url ?? "", name });
}

async function open(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

async function firstWord(socket: WebSocket): Promise<string> {
  const [word]: unknown[] = await once(socket, "message");
  socket.terminate();
  return String(word);
}

function thrownBy(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

/** A key and a certificate without any name (X.509 in DER), so that no key must lie in the repository. */
function selfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(0x30, Buffer.from("06082a8648ce3d040302", "hex")); // ecdsa-with-SHA256
  const years = der(0x30, der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("491231235959Z")));
  const [version, serial, nobody] = [der(0xa0, der(0x02, Buffer.of(2))), der(0x02, Buffer.of(1)), der(0x30)];
  const subject = publicKey.export({ type: "spki", format: "der" });
  const body = der(0x30, version, serial, algorithm, nobody, years, nobody, subject);
  const signature = der(0x03, Buffer.of(0), sign("sha256", body, privateKey));
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: new X509Certificate(der(0x30, body, algorithm, signature)).toString(),
  };
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
