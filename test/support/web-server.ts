import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";
import { temporaryFolder } from "./folder.ts";
import { freePort } from "./port.ts";
import { until } from "../../src/testing/until.ts";

/** Starts nginx with these lines in its `server` block, until the test is over; resolves with its address. */
export async function startNginx(lines: string): Promise<string> {
  const folder = temporaryFolder();
  const port = await freePort();
  mkdirSync(join(folder, "logs"));
  const config = `daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  server { listen 127.0.0.1:${port}; ${lines} }
}`;
  writeFileSync(join(folder, "nginx.conf"), config);
  return start(inject("nginx"), ["-p", folder, "-c", join(folder, "nginx.conf")], port);
}

/** Starts Caddy with these lines as a site, until the test is over; resolves with its address. */
export async function startCaddy(lines: string): Promise<string> {
  const folder = temporaryFolder();
  const port = await freePort();
  writeFileSync(join(folder, "Caddyfile"), `{\n  admin off\n}\nhttp://127.0.0.1:${port} {\n${lines}\n}\n`);
  return start(inject("caddy"), ["run", "--config", join(folder, "Caddyfile")], port);
}

async function start(program: string, words: readonly string[], port: number): Promise<string> {
  const child = spawn(program, words, { stdio: "pipe", env: { PATH: process.env["PATH"], HOME: tmpdir() } });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk));
  onTestFinished(async () => {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  await until(
    () => fetch(url).then(Boolean, () => false),
    () => `${program}: ${errors}`,
  );
  return url;
}
