import { setTimeout as pause } from "node:timers/promises";
import { DiscordjsErrorCodes, Events, GatewayCloseCodes } from "discord.js";
import type { Logger } from "pino";
import { ConfigError, describeError } from "../../src/errors.ts";
import type { ApiOptions } from "./api.ts";
import { type Connection, createConnection, end } from "./connection.ts";
import type { Memory, Seen } from "./memory.ts";

/** Something that happened, such as "MESSAGE_CREATE", with its payload as it came. */
export interface Dispatch {
  readonly type: string;
  readonly payload: unknown;
  /** To be called once it is taken in: until then Discord is asked for it again. */
  readonly taken: (seen?: Seen) => void;
}

type OnDispatch = (dispatch: Dispatch) => void;

/** The connection on which Discord tells what happens. */
export interface Gateway {
  /** Resolves when Discord has said READY; rejects with a `ConfigError` if it refuses the bot. */
  start(onDispatch: OnDispatch): Promise<void>;
  /** Resolves soon, even if Discord does not answer. */
  stop(): Promise<void>;
  trouble(): string | undefined;
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
export function createGateway(
  options: ApiOptions & { memory: Memory; log?: Pick<Logger, "info" | "warn" | "error"> },
): Gateway {
  const { token, memory, log } = options;
  const backoff = createBackoff();
  let trouble: string | undefined = "Discord is not started.";
  let lost = false;
  let connection: Connection | undefined;
  let halt = new AbortController();

  async function start(onDispatch: OnDispatch): Promise<void> {
    if (!/^[\x21-\x7e]+$/.test(token)) throw badToken();
    const { signal } = (halt = new AbortController());
    trouble = "Connecting to Discord.";
    backoff.reset();
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    while (!signal.aborted) {
      try {
        return await connect(onDispatch, stopped);
      } catch (error) {
        await retire();
        if (error instanceof ConfigError) throw error;
        down(`Discord cannot be reached (${describeError(error)})`);
      }
      await backoff.pause(signal);
    }
  }

  async function connect(onDispatch: OnDispatch, stopped: Promise<void>): Promise<void> {
    const { signal } = halt;
    connection = createConnection(options, {
      memory,
      pause: () => backoff.pause(signal),
      lost: () => backoff.attempts() >= RESUME_ATTEMPTS,
      report: (error) => log?.warn(`Discord's gateway: ${describeError(error)}`),
    });
    const { client } = connection;
    let ready = false;
    let refusal: ConfigError | undefined;
    client.on(Events.Raw, ({ t, d, s }: { t: string; d: unknown; s: number }, shard: number) => {
      if (t === "READY" || t === "RESUMED") up();
      onDispatch({ type: t, payload: d, taken: memory.arrived(shard, s) });
    });
    client.on(Events.ShardReconnecting, () => down("The connection to Discord's gateway is lost"));
    client.on(Events.ShardDisconnect, ({ code }) => {
      trouble = (refusal = refusedBy(code)).message;
      if (ready) log?.error(trouble);
    });
    client.on(Events.Error, (error) => log?.warn(`Discord's gateway: ${describeError(error)}`));
    client.on(Events.ShardError, (error) => log?.warn(`Discord's gateway: ${describeError(error)}`));
    const login = client.login(token).catch((error: unknown) => {
      throw refusal ?? (isTokenRefusal(error) ? badToken() : error);
    });
    await Promise.race([login, stopped]);
    ready = true;
  }

  function up(): void {
    if (trouble) log?.info("Connected to Discord's gateway");
    trouble = undefined;
    lost = false;
    backoff.up();
  }

  /** Says it once for each time that the connection is lost. */
  function down(reason: string): void {
    trouble = `${reason}; trying again.`;
    if (!lost) log?.warn(trouble);
    lost = true;
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
      trouble = "Discord is stopped.";
    },
    trouble: () => trouble,
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

function isTokenRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === DiscordjsErrorCodes.TokenInvalid;
}

/** What a close code means after which Discord does not want to see the bot again. */
function refusedBy(code: number): ConfigError {
  if (code === AUTHENTICATION_FAILED) return badToken();
  const name = GatewayCloseCodes[code] ?? "unknown";
  const intents = BAD_INTENTS.includes(code);
  return new ConfigError(
    intents ? "discord_intents" : "discord_gateway",
    `Discord's gateway refused the bot for good (close code ${code}, ${name}). ` +
      (intents ? "Check the bot's intents in the Developer Portal." : "Update to the newest version."),
  );
}

function badToken(): ConfigError {
  return new ConfigError(
    "discord_token",
    "Discord refused the bot's token. Set DISCORD_BOT_TOKEN to the token that the Developer Portal " +
      "(your application, Bot, Reset Token) shows.",
  );
}
