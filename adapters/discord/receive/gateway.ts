import { setTimeout as pause } from "node:timers/promises";
import { Events, GatewayCloseCodes } from "discord.js";
import type { Logger } from "pino";
import { ConfigError, describeError } from "../../../src/errors.ts";
import { type Connection, type ConnectionOptions, createConnection, end } from "./connection.ts";
import type { Directory } from "./directory.ts";
import { refusedToken } from "../errors.ts";
import type { Memory, Seen } from "./memory.ts";
import { titleOf } from "./shard.ts";

/** Something that happened, such as "MESSAGE_CREATE", with its payload as it came. */
export interface Dispatch {
  readonly type: string;
  readonly payload: unknown;
  /** To be called once it is taken in: until then Discord is asked for it again. */
  readonly taken: (seen?: Seen) => void;
}

type OnDispatch = (dispatch: Dispatch) => void;

/** How a shard's connection is set up. */
export interface GatewayOptions extends Omit<ConnectionOptions, "info"> {
  readonly memory: Memory;
  readonly directory: Directory;
  readonly log?: Pick<Logger, "info" | "warn" | "error"> | undefined;
}

/** The connection on which Discord tells what happens, as far as it is a shard's. */
export interface Gateway {
  /** Resolves when Discord has let the shard in; rejects with a `ConfigError` if it refuses the bot. */
  start(onDispatch: OnDispatch): Promise<void>;
  /** Resolves soon, even if Discord does not answer. */
  stop(): Promise<void>;
  /** Undefined also while it is not started. */
  problem(): string | undefined;
}

/** Waits between attempts to connect grow from the first to the last, in ms. */
const BACKOFF_MS = { first: 1000, last: 60_000 };
/** A connection that stood this long was a good one: the next wait is the first again, in ms. */
const STABLE_MS = 60_000;
/** After so many attempts in vain a session is resumed at the gateway's general address. */
const RESUME_ATTEMPTS = 2;
const AUTHENTICATION_FAILED: number = GatewayCloseCodes.AuthenticationFailed;
const BAD_INTENTS: readonly number[] = [
  GatewayCloseCodes.InvalidIntents,
  GatewayCloseCodes.DisallowedIntents,
];

/**
 * Discord's gateway through discord.js, as a stream of plain payloads. The library heartbeats, identifies and
 * resumes; what it leaves open is done here: to go on with the session of an earlier process, to come back
 * without haste however often it fails, and to end in every state.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { token, memory, directory, log } = options;
  const title = titleOf(options.shard);
  const backoff = createBackoff();
  let problem: string | undefined;
  let lost = false;
  let connection: Connection | undefined;
  let halt = new AbortController();

  async function start(onDispatch: OnDispatch): Promise<void> {
    const { signal } = (halt = new AbortController());
    problem = `${title}Connecting to Discord.`;
    backoff.reset();
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    while (!signal.aborted) {
      try {
        return await connect(onDispatch, stopped);
      } catch (error) {
        await retire();
        directory.forget();
        if (error instanceof ConfigError) throw error;
        down(`Discord cannot be reached (${describeError(error)})`);
      }
      await backoff.pause(signal);
    }
  }

  async function connect(onDispatch: OnDispatch, stopped: Promise<void>): Promise<void> {
    const { signal } = halt;
    const info = await Promise.race([directory.ask(), stopped]);
    if (!info || signal.aborted) return;
    connection = createConnection(
      { ...options, info },
      {
        memory,
        pause: () => backoff.pause(signal),
        lost: () => backoff.attempts() >= RESUME_ATTEMPTS,
        report: warn,
      },
    );
    const { client } = connection;
    let ready = false;
    let refusal: ConfigError | undefined;
    client.on(Events.Raw, ({ t, d, s }: { t: string; d: unknown; s: number }) => {
      if (t === "READY" || t === "RESUMED") up();
      onDispatch({ type: t, payload: d, taken: memory.arrived(s) });
    });
    client.on(Events.ShardReconnecting, () => down("The connection to Discord's gateway is lost"));
    client.on(Events.ShardDisconnect, ({ code }) => {
      refusal = refusedBy(code);
      problem = title + refusal.message;
      if (ready) log?.error(problem);
    });
    client.on(Events.Error, warn);
    client.on(Events.ShardError, warn);
    const login = client.login(token).catch((error: unknown) => {
      throw refusal ?? error;
    });
    await Promise.race([login, stopped]);
    ready = true;
  }

  function up(): void {
    if (problem) log?.info(`${title}Connected to Discord's gateway`);
    problem = undefined;
    lost = false;
    backoff.up();
  }

  /** Says it once for each time that the connection is lost. */
  function down(reason: string): void {
    problem = `${title}${reason}; trying again.`;
    if (!lost) log?.warn(problem);
    lost = true;
  }

  function warn(error: unknown): void {
    log?.warn(`${title}Discord's gateway: ${describeError(error)}`);
  }

  async function retire(): Promise<void> {
    const retired = connection;
    connection = undefined;
    if (retired) await end(retired);
  }

  return {
    start,
    stop: async () => {
      halt.abort();
      await retire();
      problem = undefined;
    },
    problem: () => problem,
  };
}

/**
 * The waits between attempts. A connection that breaks soon after it came up counts as an attempt in vain:
 * else a gateway that lets the bot in and drops it would use up the day's 1000 IDENTIFYs.
 */
function createBackoff() {
  let attempts = 0;
  let upSince: number | undefined;
  return {
    attempts: () => attempts,
    reset: () => {
      attempts = 0;
    },
    up: () => {
      upSince = Date.now();
    },
    pause: async (signal: AbortSignal) => {
      if (upSince !== undefined && Date.now() - upSince > STABLE_MS) attempts = 0;
      upSince = undefined;
      const wait = waitAfter(attempts);
      attempts += 1;
      await pause(wait, undefined, { signal }).catch(() => {});
    },
  };
}

/** How long to wait after so many attempts in vain before this one, in ms. */
export function waitAfter(attempts: number): number {
  const wait = Math.min(BACKOFF_MS.first * 2 ** attempts, BACKOFF_MS.last);
  // Jitter, so that many bots do not come back in the same second.
  return wait * (0.5 + Math.random() / 2);
}

/** What a close code means after which Discord does not want to see the bot again. */
function refusedBy(code: number): ConfigError {
  if (code === AUTHENTICATION_FAILED) return refusedToken();
  const name = GatewayCloseCodes[code] ?? "unknown";
  const intents = BAD_INTENTS.includes(code);
  return new ConfigError(
    intents ? "discord_intents" : "discord_gateway",
    `Discord's gateway refused the bot for good (close code ${code}, ${name}). ` +
      (intents ? "Check the bot's intents in the Developer Portal." : "Update to the newest version."),
  );
}
