import type { Adapter, Receive } from "../../src/adapter.ts";
import { createConsoleDialect } from "../../adapters/console/dialect.ts";

/** A platform without a network: what is said to each person is read at once. */
export function createEcho() {
  const screens = new Map<string, string[]>();
  let receive: Receive = async () => undefined;
  const adapter: Adapter<string> = {
    name: "echo",
    dialect: createConsoleDialect({ color: false, columns: 80, rows: 200 }),
    pace: { direct: 0, group: 0 },
    start: async (given) => void (receive = given),
    stop: async () => undefined,
    send: async (to, body) => {
      const user = JSON.stringify(to["user"]);
      screens.set(user, [...(screens.get(user) ?? []), body]);
      return String(screens.size);
    },
  };
  const say = ({ id, user, text }: { id: string; user: string; text: string }) =>
    receive({
      id,
      platform: "echo",
      user: { id: user },
      chat: { id: user, kind: "direct" },
      to: { user },
      ...(text.startsWith("/") ? { command: text.slice(1), text: "" } : { text }),
      at: Date.now(),
    });
  return { adapter, say, said: (user: string): readonly string[] => screens.get(JSON.stringify(user)) ?? [] };
}
