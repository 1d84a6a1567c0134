import { createCourier, type Courier, type Hook } from "./courier.ts";
import { badRequest, Refusal } from "./refusal.ts";

/** An update on its way to the bot. */
export interface Queued {
  readonly id: number;
  readonly update: object;
}

/** What Telegram keeps for the bot until the bot has acknowledged it. */
export interface Feed {
  readonly pending: number;
  /** Queues `{ update_id, ...fields }`, unless the bot has not asked for this kind; returns the id. */
  add(fields: object): number;
  /** getUpdates: forgets what the offset acknowledges, then waits for something new. */
  poll(request: PollRequest): Promise<object[]>;
  /** What getUpdates or setWebhook has asked for; an empty list means all; undefined leaves it as it was. */
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
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** Telegram numbers updates one by one from somewhere. */
const FIRST_UPDATE = 7001;

/** telegram-bot-api, Client.cpp. */
const MAX_POLL_SECONDS = 50;
const MAX_UPDATES = 100;

const OTHER_POLLER =
  "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const HAS_WEBHOOK =
  "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

/** A queue of updates that is polled, or delivered to a webhook. */
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
      courier = hook && createCourier(hook, { retryMs: webhookRetryMs, delivered: forget });
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

  /** Negative: all but the last so many. */
  function acknowledge(offset: number): void {
    if (offset < 0) queue = queue.slice(offset);
    if (offset > 0) queue = queue.filter(({ id }) => id >= offset);
  }

  function forget(entry: Queued): void {
    queue = queue.filter((each) => each !== entry);
  }

  /** Until there is an update, the time is over, the client has gone, or someone else polls. */
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

/** The webhook of a setWebhook request; undefined for an empty URL, which takes the webhook away. */
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
