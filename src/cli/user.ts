import { type Accounts, createAccounts, isName } from "../../adapters/web/index.ts";
import { loadSettings, type Settings } from "../../config/settings.ts";
import { ConfigError } from "../errors.ts";
import { openStore } from "../store.ts";
import { openShelf } from "../web.ts";
import { localUrl } from "./surroundings.ts";

/** `colloquy user add NAME`: lets someone into the web chat, and prints their personal link; or a key for programs. */
export async function addUser(name: string, { api }: { api?: true }): Promise<void> {
  if (!isName(name)) throw new ConfigError("user", "A name has 1 to 64 characters that can be seen");
  await withAccounts(async (accounts, settings) => {
    const key = await accounts.add(name, api ? "api" : "link");
    if (api) return say(`${key}\n`, `A key for programs that speak as ${name}; it is shown only now.\n`);
    const link = `${(settings.WEB_URL ?? localUrl(settings)).replace(/\/$/, "")}/#key=${key}`;
    const hint = settings.WEB_URL ? "" : "Set WEB_URL where people reach the page at another address.\n";
    say(
      `${link}\n`,
      `The personal link of ${name}: whoever has it signs in as them. It is shown only now.\n${hint}`,
    );
  });
}

/** `colloquy user list`: who may sign in. */
export async function listUsers(): Promise<void> {
  await withAccounts(async (accounts) => {
    const all = await accounts.list();
    if (all.length === 0)
      return say(
        "",
        "Nobody has a personal link; on this machine one signs in to the web chat by any name.\n",
      );
    say(all.map(({ user, links, apiKeys }) => `${user}\t${links} links\t${apiKeys} keys\n`).join(""), "");
  });
}

/** `colloquy user remove NAME`: their links, keys and sessions end; their conversations stay. */
export async function removeUser(name: string): Promise<void> {
  await withAccounts(async (accounts) => {
    if (!(await accounts.remove(name)))
      throw new ConfigError("user", `There is no user ${name}; see colloquy user list`);
    say("", `${name} cannot sign in any more. What they said is kept.\n`);
  });
}

/** What a script may want is on standard output, what people read on the other. */
function say(output: string, remark: string): void {
  process.stdout.write(output);
  process.stderr.write(remark);
}

async function withAccounts(
  action: (accounts: Accounts, settings: Settings) => Promise<void>,
): Promise<void> {
  const settings = loadSettings(process.env);
  const store = await openStore(settings.STORE_URL);
  try {
    await action(createAccounts(await openShelf(store)), settings);
  } finally {
    await store.close();
  }
}
