import type { Adapter, Receive } from "../../src/adapter.ts";
import { describeError, PlatformError } from "../../src/errors.ts";
import type { Address, Json } from "../../src/event.ts";
import { type Handler, isStream, type Reply } from "../../src/handler.ts";
import { createAccounts } from "./accounts/accounts.ts";
import { createWebDialect, type WebBody } from "./dialect.ts";
import { createFeed } from "./conversations/feed.ts";
import { createLive } from "./conversations/live.ts";
import type { News, Piece } from "./conversations/news.ts";
import { createPeers } from "./conversations/peers.ts";
import { createRecords, type Place } from "./conversations/records.ts";
import { createRoutes, type RoutesOptions } from "./api/routes.ts";
import { createSecurityLog } from "./api/security.ts";
import type { Shelf } from "./conversations/shelf.ts";
import { createTalk, type TalkOptions } from "./conversations/talk.ts";
import { createWatch } from "./accounts/watch.ts";

export interface WebOptions
  extends Pick<RoutesOptions, "conversations" | "personas" | "models" | "currency" | "url" | "log"> {
  /** Where accounts, sessions and what people see are kept; every process of the bot has the same. */
  readonly shelf: Shelf;
  readonly admit?: TalkOptions["admit"];
  readonly quotas?: TalkOptions["quotas"];
}

/** The eye sees no more than some ten changes a second; several conversations do not wait for one another. */
const PACE = { direct: 100, group: 100 };

/** The web chat as an adapter, with what it has to see of answers. */
export interface Web extends Adapter<WebBody> {
  /** A handler that stands before all others: programs get answers as the Markdown that they are. */
  readonly tap: Handler;
}

/** The web chat: people sign in on a page, and each has any number of conversations. */
export function createWeb(options: WebOptions): Web {
  const records = createRecords(options.shelf);
  const feed = createFeed();
  const live = createLive();
  const peers = createPeers({ hear: take });
  const security = createSecurityLog(options.log);
  const accounts = createAccounts(options.shelf, {
    onEnd: (ended) => security.note("session-ended", { ...ended }),
  });
  let receive: Receive | undefined;
  const routes = createRoutes({
    ...options,
    records,
    feed,
    accounts,
    security,
    watch: createWatch(accounts),
    growing: (place) => live.pieces(place),
    talk: createTalk({
      records,
      personas: options.personas,
      models: options.models,
      admit: options.admit,
      ...(options.quotas && { quotas: options.quotas }),
      receive: async (event) => {
        if (!receive) throw new PlatformError("stopped", "The web chat takes no messages in right now");
        await receive(event);
      },
      publish,
    }),
  });

  return {
    name: "web",
    dialect: createWebDialect(),
    pace: PACE,
    cluster: { pubSub: peers },
    start: async (into) => {
      receive = into;
      // The start does not wait for this: an expired session lets nobody in even while its record exists.
      void accounts.sweep().catch((error: unknown) => {
        options.log.error({ err: error }, `old sessions were not taken away: ${describeError(error)}`);
      });
    },
    stop: async () => void (receive = undefined),
    send: async (to, body, key) => {
      if (to["silent"]) return key;
      show(to, { ref: key, ...body });
      return key;
    },
    edit: async (to, ref, body) => {
      if (!live.pieces(placeOf(to)).some((piece) => piece.ref === ref))
        throw new PlatformError("gone", "The piece of the answer is not shown any more", { gone: true });
      show(to, { ref, ...body });
    },
    remove: async (to, ref) => {
      const { user, thread, turn } = placeOf(to);
      publish(user, { kind: "removed", thread, turn, ref });
    },
    // An answer that is not whole lives in the process that writes it.
    recovery: { isVisible: (ref) => live.pieces(placeIn(ref)).some((piece) => piece.ref === ref) },
    finish: async (to, shown) => {
      const { user, thread, turn } = placeOf(to);
      if (to["silent"]) return;
      await records.saveAnswer(
        { user, thread, turn },
        shown.map(({ ref, body }) => ({ ref, ...body })),
      );
      publish(user, { kind: "done", thread, turn });
    },
    files: {
      image: async (ref) => {
        const [user = "", thread = "", turn = "", index] = ref.split(":").map(decodeURIComponent);
        return (await records.images({ user, thread, turn }))[Number(index)];
      },
    },
    http: { mount: "/", fetch: (request, from) => routes(request, from) },
    tap: async ({ event }, next) => {
      const reply = await next();
      if (event.platform !== "web" || !event.to["raw"]) return reply;
      return tapped(reply, placeOf(event.to));
    },
  };

  async function* tapped(reply: Reply, { user, thread, turn }: Place): AsyncGenerator<string> {
    let at = 0;
    for await (const add of piecesOf(reply)) {
      if (add) publish(user, { kind: "raw", thread, turn, at, add });
      at += add.length;
      yield add;
    }
  }

  function show(to: Address, piece: Piece): void {
    const place = placeOf(to);
    const { user, thread, turn } = place;
    const change = live.change(place, piece);
    const { ref, choices } = piece;
    if (change) publish(user, { kind: "shown", thread, turn, ref, ...change, ...(choices && { choices }) });
  }

  /** Here, and in the processes that other pages of the person are connected to. */
  function publish(user: string, news: News): void {
    take(user, news);
    peers.publish(user, news);
  }

  function take(user: string, news: News): void {
    live.apply(user, news);
    feed.tell(user, news);
  }
}

async function* piecesOf(reply: Reply): AsyncGenerator<string> {
  if (typeof reply === "string") yield reply;
  else if (isStream(reply)) yield* reply;
  else if (reply) yield reply.text;
}

function placeOf({ user, thread, turn }: Address): Place {
  const text = (part: Json | undefined) => (typeof part === "string" ? part : "");
  return { user: text(user), thread: text(thread), turn: text(turn) };
}

/** References are made of the event's id: `web:<user>:<thread>:<turn>#0`. */
function placeIn(ref: string): Place {
  const [, user = "", thread = "", turn = ""] = /^web:([^:#]*):([^:#]*):([^:#]*)/.exec(ref) ?? [];
  return { user: decodeURIComponent(user), thread, turn };
}
