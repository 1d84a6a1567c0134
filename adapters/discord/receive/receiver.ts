import type { Logger } from "pino";
import { z } from "zod";
import type { CommandEntry, Receive } from "../../../src/adapter.ts";
import { describeError } from "../../../src/errors.ts";
import type { ChatEvent } from "../../../src/event.ts";
import type { Api } from "../api.ts";
import { registerCommands } from "../commands.ts";
import { sorryIn, takeInteraction } from "./deferral.ts";
import { type InteractionEvent, toInteractionEvent, toMessageEvent } from "./events.ts";
import { createGateway, type Dispatch, type GatewayOptions } from "./gateway.ts";
import type { Seen } from "./memory.ts";
import { readAddress, sendPage } from "../send/messages.ts";
import { createMissed, type Missed } from "./missed.ts";

/** How a receiver is set up. */
export interface ReceiverOptions extends GatewayOptions {
  readonly api: Api;
  readonly log: Pick<Logger, "info" | "warn" | "error"> | undefined;
}

/** Takes in what one shard tells; it can be started again after a stop. */
export interface Receiver {
  /** Resolves once connected; rejects with a `ConfigError` if Discord refuses the bot. */
  start(receive: Receive, menu: readonly CommandEntry[]): Promise<void>;
  /** Leaves the shard such that whoever starts it next, in whichever process, misses nothing. */
  stop(): Promise<void>;
  problem(): string | undefined;
}

/** One time between `start` and `stop`. */
interface Intake {
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

/** Receives over one shard: its connection, its memory, and what was missed without it. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { shard, memory, api, log } = options;
  const gateway = createGateway(options);
  let halt = new AbortController();
  let stopping = Promise.resolve();

  async function start(receive: Receive, menu: readonly CommandEntry[]): Promise<void> {
    const { signal: ended } = (halt = new AbortController());
    // What the last time has left is complete only then.
    await stopping;
    await memory.load(ended);
    if (ended.aborted) return;
    const take = (event: ChatEvent) => takeMessage(event, receive);
    const missed = createMissed({ api, memory, take, signal: ended, log });
    const intake: Intake = { receive, menu, missed, ended, registered: false };
    await gateway.start((dispatch) => onDispatch(dispatch, intake));
  }

  async function stop(): Promise<void> {
    await gateway.stop();
    await memory.close();
  }

  function onDispatch({ type, payload, taken }: Dispatch, intake: Intake): void {
    const message = type === "MESSAGE_CREATE" ? toMessageEvent(payload) : undefined;
    const interaction = type === "INTERACTION_CREATE" ? toInteractionEvent(payload) : undefined;
    if (message) return void onMessage(message, intake, taken);
    if (interaction) return void onInteraction(interaction, intake, taken);
    if (type === "READY" || type === "RESUMED") onConnected(payload, intake);
    taken();
  }

  function onConnected(payload: unknown, intake: Intake): void {
    const application = applicationOf(payload);
    if (application) memory.setApplication(application);
    const known = memory.application();
    // Whoever starts the others would only ask the same again.
    if (shard.index === 0 && known && (application || !intake.registered)) {
      intake.registered = true;
      void registerCommands({ api, application: known, menu: intake.menu, log });
    }
    void intake.missed.fetchAll();
  }

  async function onMessage(event: ChatEvent, intake: Intake, taken: Dispatch["taken"]): Promise<void> {
    const missed = intake.missed.before(event.chat.id);
    // Without a pause where nothing was missed: what comes later, such as a slash command, stays behind it.
    if (missed) await missed;
    // What was said before it is not taken in: then this waits for the next start too.
    if (intake.ended.aborted) return;
    await takeMessage(event, intake.receive);
    taken(seenWith(event));
  }

  async function onInteraction(
    interaction: InteractionEvent,
    { receive, missed, ended }: Intake,
    taken: Dispatch["taken"],
  ): Promise<void> {
    const { event } = interaction;
    await takeInteraction(interaction, { receive, api, log });
    if (event.chat.kind === "group") return taken();
    await missed.before(event.chat.id);
    if (!ended.aborted) taken(seenWith(event));
  }

  async function takeMessage(event: ChatEvent, receive: Receive): Promise<void> {
    try {
      await receive(event);
    } catch (error) {
      log?.error(`A direct message could not be stored: ${describeError(error)}`);
      const page = { content: sorryIn(event.user.locale) };
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

function seenWith({ id, chat }: ChatEvent): Seen {
  return { channel: chat.id, message: id.replace(/^discord:/, "") };
}

function applicationOf(ready: unknown): string | undefined {
  const { application, user } = readySchema.safeParse(ready).data ?? {};
  // The bot's own id is the application's, but for the oldest bots.
  return application?.id ?? user?.id;
}
