import { createHash } from "node:crypto";
import type { Adapter } from "../adapter.ts";
import { type Colloquy, createColloquy } from "../colloquy.ts";
import type { Command, Handler } from "../handler.ts";
import { claimStore } from "../store/claim.ts";
import { createKeyedLock } from "../store/keyed-lock.ts";
import type { Store } from "../store/store.ts";
import { chatOptions } from "./chat-options.ts";
import { useConfiguredProxy } from "./platforms.ts";
import type { ProgramOptions } from "./start.ts";

export interface ConsoleProgramOptions extends ProgramOptions {
  readonly console: Adapter;
  /** The store that the settings name; the caller closes it. */
  readonly store: Store;
  /** The persona and model named on the command line; they apply until the user chooses others. */
  readonly chosen?: { readonly persona?: string; readonly model?: string };
  readonly middleware?: readonly Handler[];
  readonly commands?: readonly Command[];
  /**
   * The user. Questions that an earlier process accepted from them and did not answer are answered now. Without a user
   * no event outlives the process.
   */
  readonly user?: string;
}

/** Creates a bot for the console, which can run beside the program: it shares the histories, but has its own queue. */
export async function createConsoleColloquy(options: ConsoleProgramOptions): Promise<Colloquy> {
  const { settings, log, console, store, middleware = [], commands = [], user, chosen = {} } = options;
  await useConfiguredProxy(settings);
  const queue = await chooseConsoleQueue(settings.STORE_URL, user);
  const colloquy = await createColloquy({
    adapters: [console],
    ...chatOptions(settings, log),
    middleware: [choose(chosen), ...middleware],
    commands,
    store,
    queue: queue.url,
    lock: createKeyedLock(store, settings.STORE_URL),
    log,
  });
  return {
    ...colloquy,
    stop: async () => {
      await colloquy.stop();
      await queue.release();
    },
  };
}

/** Sets the persona and the model of a conversation, until the user chooses another with `/persona` or `/model`. */
function choose({ persona, model }: { readonly persona?: string; readonly model?: string }): Handler {
  const pending = new Map<"persona" | "model", string | undefined>([
    ["persona", persona],
    ["model", model],
  ]);
  return ({ conversation, event }, next) => {
    for (const [what, name] of pending) {
      if (event.command === what && event.text.trim()) pending.delete(what);
      else if (name !== undefined) conversation[what] = name;
    }
    if (pending.get("persona") !== undefined) conversation.system = undefined;
    return next();
  };
}

/** Chooses a file beside the store, or memory if another terminal of the same user is already using that file. */
async function chooseConsoleQueue(store: string, user: string | undefined) {
  const inMemory = { url: "memory:", release: async () => undefined };
  // The store reports an invalid URL.
  if (user === undefined || !store.startsWith("sqlite:")) return inMemory;
  const url = `${store}.chat-${createHash("sha1").update(user).digest("hex").slice(0, 12)}`;
  const claim = await claimStore(url);
  return claim ? { url, release: () => claim.release() } : inMemory;
}
