import { badRequest, Refusal } from "../refusal.ts";
import { createCourier, type Courier, type Hook, type Queued } from "./courier.ts";

/** The queue of updates that the bot has not acknowledged. */
export interface Feed {
  readonly pending: number;
  /** Queues `{ update_id, ...fields }`, unless the bot has excluded this kind; returns the id. */
  add(fields: object): number;
  /** Performs getUpdates: removes the updates that the offset acknowledges, then waits for a new one. */
  poll(request: PollRequest): Promise<object[]>;
  /** Sets the kinds of updates to queue. An empty list means all; undefined changes nothing. */
  want(kinds: readonly string[] | undefined): void;
  setWebhook(hook: Hook | undefined): void;
  webhookInfo(): object;
  close(): void;
}

interface PollRequest {
  readonly offset: number;
  readonly limit: number;
  /** In seconds. */
  readonly timeout: number;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}

/** The first update id. Telegram's ids are consecutive, and may begin anywhere. */
const FIRST_UPDATE = 7001;

/** The limits of getUpdates (telegram-bot-api, Client.cpp). */
const MAX_POLL_SECONDS = 50;
const MAX_UPDATES = 100;

const OTHER_POLLER =
  "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const HAS_WEBHOOK =
  "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

/** Creates a feed. The bot polls it, or a courier delivers it to a webhook. */
export function createFeed({ webhookRetryMs }: { webhookRetryMs: number }): Feed {
  let lastId = FIRST_UPDATE - 1;
  let queue: Queued[] = [];
  let wanted: readonly string[] = [];
  let held: { end: (conflict?: string) => void } | undefined;
  let courier: Courier | undefined;

  return {
    get pending() {
      return queue.length;
    },
    add: (fields) => {
      lastId += 1;
      const entry = { id: lastId, update: { update_id: lastId, ...fields } };
      if (wanted.length > 0 && !wanted.some((kind) => kind in fields)) return entry.id;
      queue.push(entry);
      if (courier) courier.deliver(entry);
      else held?.end();
      return entry.id;
    },
    poll: async (request) => {
      if (courier) throw new Refusal(409, HAS_WEBHOOK);
      held?.end(OTHER_POLLER);
      acknowledge(request.offset);
      if (queue.length === 0 && request.timeout > 0) await hold(request);
      return queue.slice(0, Math.min(Math.max(request.limit, 1), MAX_UPDATES)).map(({ update }) => update);
    },
    want: (kinds) => {
      wanted = kinds ?? wanted;
    },
    setWebhook: (hook) => {
      courier?.stop();
      courier = hook && createCourier(hook, { retryMs: webhookRetryMs, delivered: remove });
      if (hook) held?.end("Conflict: terminated by setWebhook request");
      for (const entry of queue) courier?.deliver(entry);
    },
    webhookInfo: () => ({
      url: courier?.url ?? "",
      has_custom_certificate: false,
      pending_update_count: queue.length,
      ...courier?.lastError(),
      ...(wanted.length > 0 && { allowed_updates: wanted }),
    }),
    close: () => {
      courier?.stop();
      held?.end();
    },
  };

  /** Removes the updates before the offset. A negative offset keeps that many of the latest. */
  function acknowledge(offset: number): void {
    if (offset < 0) queue = queue.slice(offset);
    if (offset > 0) queue = queue.filter(({ id }) => id >= offset);
  }

  function remove(entry: Queued): void {
    queue = queue.filter((each) => each !== entry);
  }

  /** Waits until an update arrives, the timeout expires or the client disconnects; rejects if another client polls. */
  function hold({ timeout, signal }: PollRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      const own = {
        end: (conflict?: string) => {
          clearTimeout(timer);
          if (held === own) held = undefined;
          if (conflict === undefined) resolve();
          else reject(new Refusal(409, conflict));
        },
      };
      const timer = setTimeout(() => own.end(), Math.min(timeout, MAX_POLL_SECONDS) * 1000);
      signal.addEventListener("abort", () => own.end(), { once: true });
      held = own;
    });
  }
}

/** Reads the webhook of a setWebhook request; undefined for an empty URL, which removes the webhook. */
export function readHook(url: unknown, secret: unknown): Hook | undefined {
  if (url === undefined || url === "") return undefined;
  const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed) throw badRequest("bad webhook: Invalid URL specified");
  const local = parsed.hostname === "127.0.0.1";
  if (parsed.protocol !== "https:" && !local) {
    throw badRequest("bad webhook: An HTTPS URL must be provided for webhook");
  }
  if (!local && !["", "80", "88", "8443"].includes(parsed.port)) {
    throw badRequest("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443");
  }
  if (secret === undefined) return { url: parsed.href };
  if (typeof secret === "string" && /^[\w-]{1,256}$/.test(secret)) return { url: parsed.href, secret };
  throw badRequest("secret token contains unallowed characters");
}
