import { Events, GatewayCloseCodes } from "discord.js";
import type { AdapterLog } from "../../../src/log.ts";
import { ConfigError, describeError } from "../../../src/errors.ts";
import { refusedToken } from "../errors.ts";
import { createBackoff } from "./backoff.ts";
import {
  type GatewayConnection,
  type ConnectionOptions,
  createConnection,
  endConnection,
} from "./connection.ts";
import type { Directory } from "./directory.ts";
import type { Accepted, ShardSession } from "./sessions.ts";
import { prefixOf } from "./shard.ts";

/** An event of the gateway, such as "MESSAGE_CREATE", with its raw payload. */
export interface Dispatch {
  readonly type: string;
  readonly payload: unknown;
  /** Must be called once the event is accepted; Discord replays it after a reconnect until then. */
  readonly accepted: Accepted;
}

type OnDispatch = (dispatch: Dispatch) => void;

/** Options of a shard's gateway connection. */
export interface GatewayOptions extends Omit<ConnectionOptions, "info"> {
  readonly session: ShardSession;
  readonly directory: Directory;
  readonly log?: AdapterLog | undefined;
}

/** The gateway connection of one shard, which reconnects until it is stopped. */
export interface Gateway {
  /** Resolves when Discord has accepted the shard; rejects with a `ConfigError` if it refuses the bot. */
  start(onDispatch: OnDispatch): Promise<void>;
  /** Resolves within seconds, even if Discord does not answer. */
  stop(): Promise<void>;
  /** Why nothing is received right now; undefined if all is well, or if the gateway is not started. */
  problem(): string | undefined;
}

/** After this many failed attempts, a session is resumed at the gateway's general address instead of its own. */
const MAX_RESUME_ATTEMPTS = 2;
const AUTHENTICATION_FAILED: number = GatewayCloseCodes.AuthenticationFailed;
const BAD_INTENTS: readonly number[] = [
  GatewayCloseCodes.InvalidIntents,
  GatewayCloseCodes.DisallowedIntents,
];

/**
 * Creates a gateway that delivers raw payloads. discord.js heartbeats, identifies and resumes. This adds what the library
 * lacks: resuming the session of an earlier process, backing off however often the connection fails, and stopping in
 * every state.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { token, session, directory, log } = options;
  const prefix = prefixOf(options.shard);
  const backoff = createBackoff();
  let problem: string | undefined;
  let lost = false;
  let connection: GatewayConnection | undefined;
  let halt = new AbortController();

  async function start(onDispatch: OnDispatch): Promise<void> {
    const { signal } = (halt = new AbortController());
    problem = `${prefix}Connecting to Discord.`;
    backoff.reset();
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    while (!signal.aborted) {
      try {
        return await connect(onDispatch, stopped);
      } catch (error) {
        await disconnect();
        directory.invalidate();
        if (error instanceof ConfigError) throw error;
        down(`Discord cannot be reached (${describeError(error)})`);
      }
      await backoff.pause(signal);
    }
  }

  async function connect(onDispatch: OnDispatch, stopped: Promise<void>): Promise<void> {
    const { signal } = halt;
    const info = await Promise.race([directory.get(), stopped]);
    if (!info || signal.aborted) return;
    connection = createConnection(
      { ...options, info },
      {
        session,
        pause: () => backoff.pause(signal),
        isAddressDead: () => backoff.attempts() >= MAX_RESUME_ATTEMPTS,
        onError: warn,
      },
    );
    const { client } = connection;
    let ready = false;
    let refusal: ConfigError | undefined;
    client.on(Events.Raw, ({ t, d, s }: { t: string; d: unknown; s: number }) => {
      if (t === "READY" || t === "RESUMED") up();
      onDispatch({ type: t, payload: d, accepted: session.arrived(s) });
    });
    client.on(Events.ShardReconnecting, () => down("The connection to Discord's gateway is lost"));
    client.on(Events.ShardDisconnect, ({ code }) => {
      refusal = refusalFor(code);
      problem = prefix + refusal.message;
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
    if (problem) log?.info(`${prefix}Connected to Discord's gateway`);
    problem = undefined;
    lost = false;
    backoff.up();
  }

  /** Logs the first failure after the connection was up; later ones only update the problem. */
  function down(reason: string): void {
    problem = `${prefix}${reason}; trying again.`;
    if (!lost) log?.warn(problem);
    lost = true;
  }

  function warn(error: unknown): void {
    log?.warn(`${prefix}Discord's gateway: ${describeError(error)}`);
  }

  async function disconnect(): Promise<void> {
    const ended = connection;
    connection = undefined;
    if (ended) await endConnection(ended);
  }

  return {
    start,
    stop: async () => {
      halt.abort();
      await disconnect();
      problem = undefined;
    },
    problem: () => problem,
  };
}

/** The error for a close code after which the bot must not reconnect. */
function refusalFor(code: number): ConfigError {
  if (code === AUTHENTICATION_FAILED) return refusedToken();
  const name = GatewayCloseCodes[code] ?? "unknown";
  const intents = BAD_INTENTS.includes(code);
  return new ConfigError(
    intents ? "discord_intents" : "discord_gateway",
    `Discord's gateway refused the bot and does not allow it to reconnect (close code ${code}, ${name}). ` +
      (intents ? "Check the bot's intents in the Developer Portal." : "Update to the latest version."),
  );
}
