import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createAccounts } from "../../adapters/web/index.ts";
import { addressKey, limitConnections } from "../../src/http/connections.ts";
import { startServer } from "../../src/program/server.ts";
import { openStore } from "../../src/store/store.ts";
import { openRecordStore } from "../../src/program/web-chat.ts";
import { temporaryFolder } from "../support/folder.ts";
import { logLines } from "../support/program.ts";
import { until } from "../../src/testing/until.ts";

const CLI = join(import.meta.dirname, "../../dist/src/cli.js");

/** The program where a process may open no more files than `files`, with a key of Ann's for programs. */
async function open({ files = 4096 } = {}) {
  const folder = temporaryFolder();
  const store = `sqlite:${join(folder, "store.sqlite")}`;
  const opened = await openStore(store);
  const key = await createAccounts(await openRecordStore(opened)).add("Ann", "api");
  await opened.close();
  const child = spawn("sh", ["-c", `ulimit -n ${files}; exec "$0" "$@"`, process.execPath, CLI, "start"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HTTP_PORT: "0", STORE_URL: store },
    stdio: "pipe",
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const { url } = await until(() => logLines(output).find(({ msg }) => msg === "ready"));
  /** The most memory that it has ever had, in MB. */
  const peak = () =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024;
  return { url: String(url), port: Number(new URL(String(url)).port), key, peak };
}

/** A request on a connection of its own. */
function isAlive(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`${url}/healthz`, { agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

/** A raw connection; what it gets. */
function dial(port: number) {
  const socket = connect(port, "127.0.0.1");
  const dialled = { socket, got: "", closed: false };
  onTestFinished(() => void socket.destroy());
  socket.setEncoding("latin1").on("data", (chunk: string) => (dialled.got += chunk));
  socket.on("error", () => undefined);
  socket.on("close", () => (dialled.closed = true));
  return dialled;
}

test("bodies of strangers are not read: 150 uploads of 9 MB take next to no memory", async () => {
  const { port, url, peak } = await open();
  const before = peak();
  const piece = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536, " "), Buffer.from("\r\n")]);
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    "host: x",
    "content-type: application/json",
    "transfer-encoding: chunked",
  ].join("\r\n");
  const uploads = Array.from({ length: 150 }, () => dial(port));
  for (const { socket } of uploads) {
    socket.write(`${head}\r\n\r\n`);
    let left = 136;
    const pour = () => {
      while (left > 0 && socket.writable) {
        left -= 1;
        if (!socket.write(piece)) return;
      }
    };
    socket.on("drain", pour);
    pour();
  }
  await until(() => uploads.every(({ got, closed }) => got.startsWith("HTTP/1.1 401") || closed));
  await until(() => uploads.every(({ closed }) => closed));
  expect(uploads.filter(({ got }) => got.startsWith("HTTP/1.1 401")).length).toBeGreaterThan(100);
  // What was held before was all of it: more than 1 GB.
  expect(peak() - before).toBeLessThan(200);
  expect(await isAlive(url)).toBe(true);
});

test("one person's uploads that never end hold no more than two messages", async () => {
  const { port, key, peak } = await open();
  const before = peak();
  const half = Buffer.alloc(4_000_000, " ");
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-length: 8000000\r\n\r\n`;
  const uploads = Array.from({ length: 60 }, () => dial(port));
  for (const { socket } of uploads) {
    socket.write(head);
    socket.write(half);
  }
  const refused = () => uploads.filter(({ got }) => got.startsWith("HTTP/1.1 429"));
  await until(() => refused().length >= 55);
  expect(refused()[0]?.got).toMatch(/\r\nretry-after: 1\r\n/i);
  expect(peak() - before).toBeLessThan(150);
});

test("1,100 connections on which nothing comes keep nobody out", async () => {
  const { port, url } = await open({ files: 1024 });
  const silent = Array.from({ length: 1_100 }, () => dial(port));
  await until(() => silent.every(({ socket, closed }) => closed || !socket.connecting));
  await until(() => isAlive(url), "an answer");
});

test("of a large request that is wrong everywhere a few words are told", async () => {
  const { url, key, peak } = await open();
  const ask = async (body: string) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
    return { status: response.status, text: await response.text() };
  };
  const ones = `[${"1,".repeat(4_300_000)}1]`;
  for (const body of [
    `{"model":"assistant","messages":${ones}}`,
    `{"model":"assistant","messages":[{"role":"user","content":${ones}}]}`,
    `{"model":"assistant","messages":[${ones}]}`,
    `{"model":${ones},"stream":${"[".repeat(50_000)}${"]".repeat(50_000)},"messages":[{}]}`,
    `{"model":1,"messages":[{"role":2,"content":[${"{},".repeat(60)}{}]}],"user":3,"stream":4}`,
  ]) {
    const { status, text } = await ask(body);
    expect(status).toBe(400);
    expect(text.length).toBeLessThan(1_000);
  }
  expect(peak()).toBeLessThan(700);
});

test("many messages before the last one, and fields that we do not know, are no error", async () => {
  const { url, key } = await open();
  const messages = Array.from({ length: 4_000 }, () => ({ role: "tool", content: { anything: true } }));
  const body = {
    model: "assistant",
    temperature: 0.7,
    tools: Array.from({ length: 128 }, () => ({ type: "function" })),
    messages: [...messages, { role: "user", content: "hello", name: "ann" }],
  };
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
  expect(await response.json()).toMatchObject({ object: "chat.completion" });
});

test("a sign-in of more than a few kB is refused", async () => {
  const { url } = await open();
  const response = await fetch(`${url}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "x".repeat(5_000) }),
  });
  expect(response.status).toBe(413);
});

test("a connection on which nothing comes is closed", async () => {
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    adapters: [],
    health: () => ({}),
    connections: { headersMs: 100 },
  });
  onTestFinished(() => server.close());
  const silent = dial(Number(new URL(server.url).port));
  await until(() => silent.closed);
});

test("an IPv6 network is one address, as is an IPv4 address in whatever form", () => {
  expect(addressKey("2001:db8:0:1::1")).toBe(addressKey("2001:0db8::1:ffff:ffff:0:1"));
  expect(addressKey("2001:db8:0:1::1")).not.toBe(addressKey("2001:db8:0:2::1"));
  expect(addressKey("::ffff:203.0.113.7")).toBe(addressKey("203.0.113.7"));
  expect(addressKey("fe80::1%eth0")).toBe(addressKey("fe80::2"));
});

/** A server's connections, without a server. */
function pretend(limits: Parameters<typeof limitConnections>[1]) {
  const server = new EventEmitter();
  limitConnections(server, limits);
  onTestFinished(() => void server.emit("close"));
  const accept = (remoteAddress: string, { writableLength = 0 } = {}) => {
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress,
      bytesRead: 0,
      writableLength,
      destroyed: false,
      destroy: () => {
        socket.destroyed = true;
        socket.emit("close");
      },
    });
    server.emit("connection", socket);
    const answer = () => server.emit("request", { socket, complete: true }, new EventEmitter());
    return { open: () => !socket.destroyed, answer };
  };
  return accept;
}

test("an address with too many connections loses its oldest silent one, and none that is being answered", () => {
  const accept = pretend({ perAddress: 2, overall: 100 });
  const [first, second] = [accept("203.0.113.7"), accept("203.0.113.7")];
  first.answer();
  const third = accept("::ffff:203.0.113.7");
  expect([first.open(), second.open(), third.open()]).toEqual([true, false, true]);
  third.answer();
  expect(accept("203.0.113.7").open()).toBe(false);
  expect(accept("203.0.113.8").open()).toBe(true);
});

test("where there are too many connections in all, the address with the most makes room for others", () => {
  const accept = pretend({ perAddress: 100, overall: 3 });
  const many = [accept("203.0.113.7"), accept("203.0.113.7"), accept("203.0.113.7")];
  for (const one of many) one.answer();
  const other = accept("203.0.113.8");
  expect(other.open()).toBe(true);
  expect(many.filter((one) => one.open())).toHaveLength(2);
});

test("answers that nobody reads are thrown away beyond a bound", async () => {
  const accept = pretend({});
  const slow = Array.from({ length: 10 }, () => accept("203.0.113.7", { writableLength: 10_000_000 }));
  const other = accept("203.0.113.8", { writableLength: 10_000_000 });
  await until(() => slow.filter((one) => one.open()).length === 6);
  expect(other.open()).toBe(true);
});

test("a trusted proxy may have more than one address may, but not more than all", () => {
  const accept = pretend({ perAddress: 1, overall: 3, isProxy: (address) => address === "10.0.0.1" });
  const proxied = [accept("10.0.0.1"), accept("10.0.0.1"), accept("10.0.0.1")];
  for (const one of proxied) one.answer();
  expect(proxied.every((one) => one.open())).toBe(true);
  expect(accept("10.0.0.1").open()).toBe(false);
});
