import {
  type Adapter,
  type Block,
  type ChatEvent,
  createWebhook,
  isSame,
  type List,
  parseCommand,
  PlatformError,
  type Receive,
  type Span,
  spellOutLinks,
} from "../../src/index.ts";

/** Echo posts `{id, from, text}` to our webhook, and accepts `{to, key, text}` at a URL. */
export interface EchoOptions {
  readonly url: string;
  /** Echo sends it in the header `x-echo-secret`. */
  readonly secret: string;
}

/** The maximum length of a message, in UTF-16 units. */
const MAX_LENGTH = 2000;

/** Connects a bot to Echo. */
export function createEcho({ url, secret }: EchoOptions): Adapter<string> {
  let receive: Receive | undefined;
  return {
    name: "echo",
    pace: { direct: 0, group: 0 },
    dialect: {
      limits: { length: MAX_LENGTH, unit: "utf16" },
      print: (blocks) => blocks.map(plain).join("\n"),
      fits: (body) => body.length <= MAX_LENGTH,
    },
    start: async (given) => void (receive = given),
    stop: async () => void (receive = undefined),
    send: async (to, text, key) => {
      const body = JSON.stringify({ to, key, text });
      const response = await fetch(url, { method: "POST", body }).catch((cause: unknown) => {
        throw new PlatformError("echo_unreachable", "Echo cannot be reached", { cause });
      });
      if (!response.ok) throw toPlatformError(response);
      return key;
    },
    http: {
      fetch: createWebhook({
        isGenuine: (headers) => isSame(headers.get("x-echo-secret") ?? "", secret),
        take: () => {
          const current = receive;
          return current && ((body) => current(toEvent(JSON.parse(body))));
        },
      }),
    },
  };
}

/** What someone said, as plain data. */
function toEvent({ id, from, text }: { id: string; from: string; text: string }): ChatEvent {
  return {
    id: `echo:${id}`,
    platform: "echo",
    user: { id: from },
    chat: { id: from, kind: "direct" },
    to: { from },
    ...(parseCommand(text) ?? { text }),
    at: Date.now(),
  };
}

function toPlatformError({ status, headers }: Response): PlatformError {
  const seconds = Number(headers.get("retry-after")) || 1;
  const details = status === 429 ? { retryAfterMs: seconds * 1000 } : { permanent: status < 500 };
  return new PlatformError(`echo_${status}`, `Echo refused a message (HTTP ${status})`, details);
}

function plain(block: Block): string {
  switch (block.type) {
    case "code":
      return block.text;
    case "rule":
      return "---";
    case "quote":
      return block.blocks.map(plain).join("\n");
    case "list":
      return block.items
        .map(({ blocks }, index) => marker(block, index) + blocks.map(plain).join("\n"))
        .join("\n");
    case "table":
      return [block.head, ...block.rows].map((row) => row.map(textOf).join(" | ")).join("\n");
    default:
      return textOf(block.spans);
  }
}

function marker({ start, items }: List, index: number): string {
  if (items[index]?.continues) return "";
  return start === undefined ? "- " : `${start + index}. `;
}

/** The text, with the addresses of links behind it. */
function textOf(spans: readonly Span[]): string {
  return spellOutLinks(spans, () => false)
    .map(({ text }) => text)
    .join("");
}
