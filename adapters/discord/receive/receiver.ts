import type { AdapterLog } from "../../../src/log.ts";
import { z } from "zod";
import type { CommandEntry, Receive } from "../../../src/adapter.ts";
import { describeError } from "../../../src/errors.ts";
import type { ChatEvent } from "../../../src/event.ts";
import type { Api } from "../api.ts";
import { registerCommands } from "../commands.ts";
import { readAddress } from "../send/address.ts";
import { sendPage } from "../send/messages.ts";
import type { ChannelMark } from "./channels.ts";
import { apologyTo, receiveInteraction } from "./deferral.ts";
import { type InteractionEvent, toInteractionEvent, toMessageEvent } from "./events.ts";
import { createGateway, type Dispatch, type GatewayOptions } from "./gateway.ts";
import { createMissed, type Missed } from "./missed.ts";

/** Options of a shard's receiver. */
export interface PartitionReceiverOptions extends GatewayOptions {
  readonly api: Api;
  readonly log: AdapterLog | undefined;
}

/** Receives the events of one shard; can be started again after a stop. */
export interface PartitionReceiver {
  /** Resolves once connected; rejects with a `ConfigError` if Discord refuses the bot. */
  start(receive: Receive, menu: readonly CommandEntry[]): Promise<void>;
  /** Saves the session, so that the process that starts the shard next misses nothing. */
  stop(): Promise<void>;
  /** Why nothing is received right now; undefined if all is well. */
  problem(): string | undefined;
}

/** One time between `start` and `stop`. */
interface Run {
  readonly receive: Receive;
  /** The commands that Discord should offer. */
  readonly menu: readonly CommandEntry[];
  readonly missed: Missed;
  readonly ended: AbortSignal;
  registered: boolean;
}

const readySchema = z.object({
  application: z.object({ id: z.string() }).optional(),
  user: z.object({ id: z.string() }).optional(),
});

/** Creates the receiver of a shard: its connection, its session, and the messages missed without it. */
export function createPartitionReceiver(options: PartitionReceiverOptions): PartitionReceiver {
  const { shard, session, api, log } = options;
  const gateway = createGateway(options);
  let halt = new AbortController();
  let stopping = Promise.resolve();

  async function start(receive: Receive, menu: readonly CommandEntry[]): Promise<void> {
    const { signal: ended } = (halt = new AbortController());
    // The session of the last run is complete only after its stop.
    await stopping;
    await session.load(ended);
    if (ended.aborted) return;
    const accept = (event: ChatEvent) => receiveMessage(event, receive);
    const missed = createMissed({ api, session, accept, signal: ended, log });
    const run: Run = { receive, menu, missed, ended, registered: false };
    await gateway.start((dispatch) => onDispatch(dispatch, run));
  }

  async function stop(): Promise<void> {
    await gateway.stop();
    await session.close();
  }

  function onDispatch({ type, payload, accepted }: Dispatch, run: Run): void {
    const message = type === "MESSAGE_CREATE" ? toMessageEvent(payload) : undefined;
    const interaction = type === "INTERACTION_CREATE" ? toInteractionEvent(payload) : undefined;
    if (message) return void onMessage(message, run, accepted);
    if (interaction) return void onInteraction(interaction, run, accepted);
    if (type === "READY" || type === "RESUMED") onConnected(payload, run);
    accepted();
  }

  function onConnected(payload: unknown, run: Run): void {
    const application = applicationIn(payload);
    if (application) session.setApplication(application);
    const known = session.application();
    // Commands are the same for all shards, so only the first one registers them.
    if (shard.index === 0 && known && (application || !run.registered)) {
      run.registered = true;
      void registerCommands({ api, application: known, menu: run.menu, log });
    }
    void run.missed.fetchAll();
  }

  async function onMessage(event: ChatEvent, run: Run, accepted: Dispatch["accepted"]): Promise<void> {
    const missed = run.missed.catchUp(event.chat.id);
    // Awaiting only if messages were missed keeps this message ahead of later events, such as a slash command.
    if (missed) await missed;
    // Earlier messages may be missing then, so this one waits for the next start too.
    if (run.ended.aborted) return;
    await receiveMessage(event, run.receive);
    accepted(markOf(event));
  }

  async function onInteraction(
    interaction: InteractionEvent,
    { receive, missed, ended }: Run,
    accepted: Dispatch["accepted"],
  ): Promise<void> {
    const { event } = interaction;
    await receiveInteraction(interaction, { receive, api, log });
    if (event.chat.kind === "group") return accepted();
    await missed.catchUp(event.chat.id);
    if (!ended.aborted) accepted(markOf(event));
  }

  /** Stores a message, or apologizes to the user if that fails; never rejects. */
  async function receiveMessage(event: ChatEvent, receive: Receive): Promise<void> {
    try {
      await receive(event);
    } catch (error) {
      log?.error(`A direct message could not be stored: ${describeError(error)}`);
      const page = { content: apologyTo(event) };
      await sendPage(api, readAddress(event.to), { page, key: `${event.id}#lost` }).catch(
        (failure: unknown) => log?.warn(describeError(failure)),
      );
    }
  }

  return {
    start,
    stop: () => {
      halt.abort();
      return (stopping = stop());
    },
    problem: () => gateway.problem(),
  };
}

function markOf({ id, chat }: ChatEvent): ChannelMark {
  return { channel: chat.id, message: id.replace(/^discord:/, "") };
}

function applicationIn(ready: unknown): string | undefined {
  const { application, user } = readySchema.safeParse(ready).data ?? {};
  // The bot's user id equals its application's id, except for the oldest bots.
  return application?.id ?? user?.id;
}
