import type { Adapter, Receive } from "../../src/adapter.ts";
import { describeError, PlatformError } from "../../src/errors.ts";
import type { Address } from "../../src/event.ts";
import { type Handler, isStream, type Reply } from "../../src/handler.ts";
import { createAccounts } from "./accounts/accounts.ts";
import { createWatch } from "./accounts/watch.ts";
import { createApp, type AppOptions } from "./api/app.ts";
import { createSecurityLog } from "./api/security.ts";
import { createAnswersInProgress } from "./conversations/answers-in-progress.ts";
import { parseImageRef, turnKeyIn, turnKeyOf } from "./conversations/chat-events.ts";
import { createFeed } from "./conversations/feed.ts";
import { createPubSub } from "./conversations/pub-sub.ts";
import type { RecordStore } from "./conversations/record-store.ts";
import { createRecords, type TurnKey } from "./conversations/records.ts";
import type { AnswerPart, Update } from "./conversations/updates.ts";
import { createUserActions, type UserActionsOptions } from "./conversations/user-actions.ts";
import { createWebDialect, type WebBody } from "./dialect.ts";

export interface WebOptions
  extends Pick<AppOptions, "conversations" | "personas" | "models" | "currency" | "url" | "log"> {
  /** Stores accounts, sessions and what users see. All processes of the bot share it. */
  readonly recordStore: RecordStore;
  readonly admit?: UserActionsOptions["admit"];
  readonly quotas?: UserActionsOptions["quotas"];
}

/** The eye sees no more than about ten changes a second. Conversations do not wait for one another. */
const PACE = { direct: 100, group: 100 };

/** The adapter of the web chat. */
export interface Web extends Adapter<WebBody> {
  /** A handler to install before all others. It publishes answers as Markdown, for clients of `/v1`. */
  readonly tap: Handler;
}

/** Creates the web chat: users sign in on a page, and each has any number of conversations. */
export function createWeb(options: WebOptions): Web {
  const { recordStore } = options;
  const records = createRecords(recordStore);
  const feed = createFeed();
  const answers = createAnswersInProgress();
  const pubSub = createPubSub({ onUpdate: apply });
  const security = createSecurityLog(options.log);
  const accounts = createAccounts(recordStore, {
    onEnd: (ended) => security.note("session-ended", { ...ended }),
  });
  let receive: Receive | undefined;
  const actions = createUserActions({
    records,
    personas: options.personas,
    models: options.models,
    admit: options.admit,
    ...(options.quotas && { quotas: options.quotas }),
    receive: async (event) => {
      if (!receive) throw new PlatformError("stopped", "The web chat is stopped and receives no messages");
      await receive(event);
    },
    publish,
  });
  const handle = createApp({
    ...options,
    records,
    feed,
    accounts,
    security,
    watch: createWatch(accounts),
    partsInProgress: (turn) => answers.parts(turn),
    actions,
  });

  return {
    name: "web",
    dialect: createWebDialect(),
    pace: PACE,
    cluster: { pubSub },
    start: async (into) => {
      receive = into;
      // The start does not wait for this: an expired session admits no one even while its record exists.
      void accounts.sweep().catch((error: unknown) => {
        options.log.error({ err: error }, `could not delete old web chat sessions: ${describeError(error)}`);
      });
    },
    stop: async () => void (receive = undefined),
    send: async (to, body, key) => {
      if (to["silent"]) return key;
      show(to, { ref: key, ...body });
      return key;
    },
    edit: async (to, ref, body) => {
      if (!answers.parts(turnKeyOf(to)).some((part) => part.ref === ref))
        throw new PlatformError("gone", "This part of the answer is no longer shown", { gone: true });
      show(to, { ref, ...body });
    },
    remove: async (to, ref) => {
      const { user, thread, turn } = turnKeyOf(to);
      publish(user, { kind: "removed", thread, turn, ref });
    },
    // An answer in progress exists only in the processes that have received its updates.
    recovery: { isVisible: (ref) => answers.parts(turnKeyIn(ref)).some((part) => part.ref === ref) },
    finish: async (to, shown) => {
      const { user, thread, turn } = turnKeyOf(to);
      if (to["silent"]) return;
      await records.saveAnswer(
        { user, thread, turn },
        shown.map(({ ref, body }) => ({ ref, ...body })),
      );
      publish(user, { kind: "done", thread, turn });
    },
    files: {
      image: async (ref) => {
        const { key, index } = parseImageRef(ref);
        return (await records.images(key))[index];
      },
    },
    http: { mount: "/", fetch: (request, from) => handle(request, from) },
    tap: async ({ event }, next) => {
      const reply = await next();
      if (event.platform !== "web" || !event.to["raw"]) return reply;
      return publishMarkdown(reply, turnKeyOf(event.to));
    },
  };

  async function* publishMarkdown(reply: Reply, { user, thread, turn }: TurnKey): AsyncGenerator<string> {
    let at = 0;
    for await (const add of chunksOf(reply)) {
      if (add) publish(user, { kind: "raw", thread, turn, at, add });
      at += add.length;
      yield add;
    }
  }

  function show(to: Address, part: AnswerPart): void {
    const { user, thread, turn } = turnKeyOf(to);
    const diff = answers.diff({ user, thread, turn }, part);
    const { ref, choices } = part;
    if (diff) publish(user, { kind: "shown", thread, turn, ref, ...diff, ...(choices && { choices }) });
  }

  /** Publishes an update in this process and in the others, which the user's other pages may be connected to. */
  function publish(user: string, update: Update): void {
    apply(user, update);
    pubSub.publish(user, update);
  }

  function apply(user: string, update: Update): void {
    answers.apply(user, update);
    feed.publish(user, update);
  }
}

async function* chunksOf(reply: Reply): AsyncGenerator<string> {
  if (typeof reply === "string") yield reply;
  else if (isStream(reply)) yield* reply;
  else if (reply) yield reply.text;
}
