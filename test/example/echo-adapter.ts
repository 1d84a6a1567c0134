import type { Adapter, Receive } from "../../src/adapter.ts";
import { PlatformError } from "../../src/errors.ts";
import { parseCommand } from "../../src/event.ts";
import type { Block } from "../../src/text/block.ts";

/** A platform that posts `{id, from, text}` to our webhook, and takes `{key, text}` at a URL. */
export interface EchoOptions {
  readonly url: string;
}

/** A whole adapter: what is below is all that a platform without edits needs. */
export function createEcho({ url }: EchoOptions): Adapter<string> {
  let receive: Receive | undefined;
  return {
    name: "echo",
    pace: { direct: 0, group: 0 },
    dialect: {
      limits: { length: 160, unit: "utf16" },
      print: (blocks) => blocks.map(plain).join("\n"),
      fits: (body) => body.length <= 160,
    },
    start: async (take) => {
      receive = take;
    },
    stop: async () => {
      receive = undefined;
    },
    send: async (to, text, key) => {
      const response = await fetch(url, { method: "POST", body: JSON.stringify({ to, key, text }) });
      if (response.ok) return key;
      throw new PlatformError("echo", `Echo refused a message (${response.status})`, {
        permanent: response.status < 500,
      });
    },
    http: {
      fetch: async (request) => {
        const { id, from, text } = (await request.json()) as { id: string; from: string; text: string };
        if (!receive) return new Response("not listening", { status: 503 });
        await receive({
          id: `echo:${id}`,
          platform: "echo",
          user: { id: from },
          chat: { id: from, kind: "direct" },
          to: { from },
          ...(parseCommand(text) ?? { text }),
          at: Date.now(),
        });
        return new Response("stored");
      },
    },
  };
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
      return block.items.map((item) => `- ${item.blocks.map(plain).join("\n")}`).join("\n");
    case "table":
      return [block.head, ...block.rows].map((row) => row.map(words).join(" | ")).join("\n");
    default:
      return words(block.spans);
  }
}

function words(spans: readonly { text: string }[]): string {
  return spans.map(({ text }) => text).join("");
}
