import { request } from "node:http";
import { createServer } from "node:net";
import { connect } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, inject, onTestFinished, test } from "vitest";
import { loadSettings } from "../../config/settings.ts";
import { isForThisMachine } from "../../src/program/reach.ts";
import { createForwarded } from "../../src/http/forwarded.ts";
import { createRanges } from "../../src/http/ranges.ts";
import { linkIn, signInByName } from "../support/local.ts";
import { freePort } from "../support/port.ts";
import { type RunningProgram, runProgram } from "../support/program.ts";
import { startCaddy, startNginx } from "../support/web-server.ts";

const DOCS = readFileSync(join(import.meta.dirname, "../../docs/behind-a-web-server.md"), "utf8");

/** Answers `path`, asked with these headers by one who knows no token. */
function ask(url: string, path: string, headers: Record<string, string> = {}, body?: object) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    // Node's fetch sends no Host of ours.
    const asking = request(url + path, {
      method: body ? "POST" : "GET",
      headers: { ...headers, ...(body && { "content-type": "application/json" }) },
    });
    asking.on("error", reject).on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asking.end(body && JSON.stringify(body));
  });
}

/** What only the operator may do, tried by a stranger. */
async function expectStranger(url: string, headers: Record<string, string> = {}): Promise<void> {
  const session = await ask(url, "/api/session", headers);
  expect(session.text).not.toContain("names");
  expect(session.text).not.toContain("Ann");
  expect((await ask(url, "/api/session", headers, { name: "Ann" })).status).toBe(403);
  for (const path of ["/status", "/metrics", "/playground", "/playground/events"])
    expect([401, 403, 404], path).toContain((await ask(url, path, headers)).status);
  const wish = { wish: { do: "kill" } };
  expect([403, 404]).toContain((await ask(url, "/playground/wish", headers, wish)).status);
}

/** A running program with somebody in it. */
async function openProgram(env: Record<string, string> = {}) {
  const port = await freePort();
  const program = runProgram(["start"], { HTTP_PORT: String(port), ...env });
  const { url } = await program.ready();
  const open = linkIn(program, "browser: ");
  if (open) expect(await signInByName(open, "Ann")).not.toBe("");
  return { program, port, open, url: String(url) };
}

test("the log does not hold the token", async () => {
  const { program, open } = await openProgram({ LOG_LEVEL: "trace" });
  const token = new URL(open).searchParams.get("token") ?? "none";
  await fetch(`${open}&and=more`);
  expect(program.output()).not.toContain(token);
});

test("no header makes a stranger local, behind any forwarder", async () => {
  const { url, port } = await openProgram();
  await expectStranger(url);
  for (const host of ["localhost", "127.0.0.1", `localhost:${port}`, "[::1]"])
    await expectStranger(url, { host });
  await expectStranger(url, { "x-forwarded-for": "127.0.0.1" });
  await expectStranger(url, { cookie: `colloquy_local_${port}=guessed` });
  await expectStranger(url, { authorization: "Bearer guessed" });
  await expectStranger(await forward(port), { host: "localhost" });
});

test.skipIf(!inject("nginx"))("behind nginx with nothing but proxy_pass nobody is local", async () => {
  const { port } = await openProgram();
  await expectStranger(await startNginx(`location / { proxy_pass http://127.0.0.1:${port}; }`));
});

test("the printed address lets its reader in, by a cookie that goes no further", async () => {
  const { url, open, program } = await openProgram();
  const opened = await fetch(open, { redirect: "manual" });
  expect(opened.status).toBe(303);
  expect(opened.headers.get("location")).toBe("/");
  const [cookie = ""] = opened.headers.getSetCookie();
  expect(cookie).toMatch(/; HttpOnly/);
  const headers = { cookie: cookie.split(";")[0] ?? "" };
  expect((await ask(url, "/api/session", headers)).text).toContain('"signIn":"name"');
  expect((await ask(url, "/status", headers)).status).toBe(200);
  expect((await ask(url, "/metrics", headers)).status).toBe(200);
  const shown = await fetch(linkIn(program, "simulated: "), { redirect: "manual" });
  expect(shown.headers.get("location")).toBe("/playground");
  // A wrong token changes nothing, and no address leads to another host.
  expect((await fetch(`${url}/?token=wrong`)).headers.getSetCookie()).toEqual([]);
  const away = await fetchRaw(open.replace("/?", "//evil.example/?"));
  expect(away).toMatch(/^location: \/evil\.example/im);
  // The next start has another one.
  expect((await openProgram()).open.split("token=")[1]).not.toBe(open.split("token=")[1]);
});

test.each([
  ["WEB_URL", { WEB_URL: "https://chat.example.org" }],
  ["a webhook", { TELEGRAM_WEBHOOK_URL: "https://bot.example.org/webhooks/telegram" }],
  ["trusted proxies", { TRUSTED_PROXIES: "10.0.0.0/8" }],
])("with %s nothing is local, and no token is printed", async (_, env) => {
  const program = runProgram(["start"], env);
  const url = String((await program.ready())["url"]);
  expect(program.errors()).not.toMatch(/token|playground/);
  await expectStranger(url, { host: "localhost" });
  expect(await (await fetch(`${url}/api/session`)).json()).toEqual({ signIn: "link" });
});

test("a host that others reach makes nothing local", () => {
  const isLocal = (host: string) => isForThisMachine(loadSettings({ HTTP_HOST: host }));
  expect(["127.0.0.1", "127.1.2.3", "localhost", "::1"].map(isLocal)).not.toContain(false);
  expect(["0.0.0.0", "::", "192.168.1.7", "127.0.0.1.evil.example", "2130706433"].map(isLocal)).not.toContain(
    true,
  );
});

test("the playground runs on the machine itself alone", async () => {
  const program = runProgram(["playground"], { HTTP_HOST: "0.0.0.0" });
  expect(await program.exited).toBe(2);
  expect(program.errors()).toContain("HTTP_HOST is 0.0.0.0");
});

test.skipIf(!inject("nginx"))("the documented lines for nginx tell who is at the other end", async () => {
  const { program, port } = await openProgram({ WEB_URL: "https://chat.example.org" });
  const lines = /```nginx\n(.*?)```/s.exec(DOCS)?.[1] ?? "";
  await expectOwnLimits(await startNginx(lines.replaceAll("8080", String(port))), program);
});

test.skipIf(!inject("caddy"))("the documented lines for Caddy tell who is at the other end", async () => {
  const { program, port } = await openProgram({ WEB_URL: "https://chat.example.org" });
  const lines = /```caddy\n[^{]*\{(.*?)\n\}\n```/s.exec(DOCS)?.[1] ?? "";
  await expectOwnLimits(await startCaddy(lines.replaceAll("8080", String(port))), program);
});

/** One who fails to sign in again and again is refused, but others behind the same web server are not. */
async function expectOwnLimits(url: string, program: RunningProgram): Promise<void> {
  await expectStranger(url);
  const attempt = (from: string) => askFrom(from, `${url}/api/session`, { key: "wrong" });
  const statuses: number[] = [];
  // At 127.0.0.2 nobody else is; a header of one's own changes nothing.
  for (let count = 0; count < 40 && statuses.at(-1) !== 429; count += 1)
    statuses.push(await attempt("127.0.0.2"));
  expect(statuses.at(-1)).toBe(429);
  expect(await attempt("127.0.0.3")).toBe(403);
  expect(program.output()).not.toContain('"level":50');
}

function askFrom(localAddress: string, url: string, body: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "x-forwarded-for": `203.0.113.${Math.random() * 200}`,
    };
    request(url, { method: "POST", localAddress, headers, agent: false }, (response) =>
      resolve(response.resume().statusCode ?? 0),
    )
      .on("error", reject)
      .end(JSON.stringify(body));
  });
}

test("a client's address is what the nearest trusted proxy says, whatever stands further left", () => {
  const trusted = createRanges();
  for (const range of ["10.0.0.0/8", "fd00::/8"]) trusted.add(range);
  const { client } = createForwarded(trusted);
  expect(client("203.0.113.7", "198.51.100.1")).toBe("203.0.113.7");
  expect(client("10.0.0.1", undefined)).toBe("10.0.0.1");
  expect(client("::ffff:10.0.0.1", "6.6.6.6, 198.51.100.1, 10.9.9.9")).toBe("198.51.100.1");
  expect(client("fd00::1", "2001:db8::7")).toBe("2001:db8::7");
  expect(client("10.0.0.1", "[2001:db8::7]:4711")).toBe("2001:db8::7");
  expect(client("10.0.0.1", "198.51.100.1:4711")).toBe("198.51.100.1");
  expect(client("10.0.0.1", "unknown")).toBe("10.0.0.1");
  const address = fc.ipV4().filter((text) => !text.startsWith("10."));
  const real = fc.tuple(address, fc.array(fc.oneof(fc.ipV4(), fc.string())));
  fc.assert(
    fc.property(real, ([peer, spoofed]) => {
      expect(client("10.0.0.1", [...spoofed, peer].join(", "))).toBe(peer);
      expect(client(peer, spoofed.join(", "))).toBe(peer);
    }),
  );
});

/** A forwarder that knows nothing of HTTP, such as `ssh -L` or socat. */
async function forward(port: number): Promise<string> {
  const server = createServer((socket) => {
    const onward = connect(port, "127.0.0.1");
    for (const end of [socket, onward]) end.on("error", () => undefined);
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

/** The answer as it comes, to a path that no client would send so. */
function fetchRaw(url: string): Promise<string> {
  const { hostname, port, host } = new URL(url);
  const path = url.slice(url.indexOf(host) + host.length);
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket
      .on("data", (chunk: Buffer) => (text += chunk))
      .on("end", () => resolve(text))
      .on("error", reject);
  });
}
