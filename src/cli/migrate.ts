import { readDotEnv } from "../../config/sources.ts";
import { interruptingNames } from "../commands/all.ts";
import { ConfigError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import { passwordsIn } from "../sanitize/secrets.ts";
import { ownSettings, toStderr } from "./environment.ts";

/** `colloquy migrate FROM TO`. */
export async function migrateStore(from: string, to: string): Promise<void> {
  const stores = { from: urlOf("FROM", from), to: urlOf("TO", to) };
  const { migrate } = await import("../migrate/migrate.ts");
  const interrupting = interruptingNames();
  const interrupts = ({ command }: ChatEvent) => command !== undefined && interrupting.has(command);
  const options = { ...stores, interrupts, progress: process.stderr, notice: toStderr };
  process.stdout.write(await migrate(options));
}

/** Returns the URL in a setting, or the argument itself: a URL must have no password, as all processes can see it. */
function urlOf(which: "FROM" | "TO", given: string): string {
  if (/^[a-z_]\w*$/i.test(given)) return settingOf(which, given);
  if (passwordsIn(given).length === 0) return given;
  throw new ConfigError(
    "store_url",
    `${which} contains a password, which other users of this machine can see in the list of processes (ps). Put the URL ` +
      "into a setting of any name, in .env or in the environment, and pass that name instead: " +
      "colloquy migrate STORE_URL NEW_STORE_URL",
  );
}

function settingOf(which: "FROM" | "TO", name: string): string {
  if (name === "STORE_URL") return ownSettings().STORE_URL;
  const url = process.env[name] || readDotEnv()?.values[name];
  if (typeof url === "string" && url) return url;
  throw new ConfigError(
    "store_url",
    `${which} names the setting ${name}, and neither the environment nor .env has it: set it to the URL of a store, such ` +
      "as postgres://user@host:5432/database",
  );
}
