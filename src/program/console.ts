import { createHash } from "node:crypto";
import type { Adapter } from "../adapter.ts";
import { type Colloquy, createColloquy } from "../colloquy.ts";
import type { Command, Handler } from "../handler.ts";
import { claimStore } from "../store/claim.ts";
import { createKeyedLock } from "../store/keyed-lock.ts";
import type { Store } from "../store/store.ts";
import { chatOptions } from "./chat-options.ts";
import { useProxy } from "./platforms.ts";
import type { ProgramOptions } from "./start.ts";

export interface ConsoleProgramOptions extends ProgramOptions {
  readonly console: Adapter;
  /** That of the settings; the caller closes it. */
  readonly store: Store;
  /** What the command line names: chosen with the first question, until the person chooses otherwise. */
  readonly chosen?: { readonly persona?: string; readonly model?: string };
  readonly middleware?: readonly Handler[];
  readonly commands?: readonly Command[];
  /** Who talks: what a run that died owed them is answered here. Without a name nothing outlives the process. */
  readonly user?: string;
}

/** A conversation at a console beside a running program: the same histories, but a queue of its own. */
export async function createConsoleColloquy(options: ConsoleProgramOptions): Promise<Colloquy> {
  const { settings, log, console, store, middleware = [], commands = [], user, chosen = {} } = options;
  await useProxy(settings);
  const queue = await chooseConsoleQueue(settings.STORE_URL, user);
  const colloquy = await createColloquy({
    adapters: [console],
    ...chatOptions(settings, log),
    middleware: [choosing(chosen), ...middleware],
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

function choosing({ persona, model }: { readonly persona?: string; readonly model?: string }): Handler {
  const open = new Map<"persona" | "model", string | undefined>([
    ["persona", persona],
    ["model", model],
  ]);
  return ({ conversation, event }, next) => {
    for (const [what, name] of open) {
      if (event.command === what && event.text.trim()) open.delete(what);
      else if (name !== undefined) conversation[what] = name;
    }
    if (open.get("persona") !== undefined) conversation.system = undefined;
    return next();
  };
}

/** A file beside the store, unless another terminal of the same person answers from it: then memory. */
async function chooseConsoleQueue(store: string, user: string | undefined) {
  const inMemory = { url: "memory:", release: async () => undefined };
  // Of a URL that makes no sense the store itself complains.
  if (user === undefined || !store.startsWith("sqlite:")) return inMemory;
  const url = `${store}.chat-${createHash("sha1").update(user).digest("hex").slice(0, 12)}`;
  const claim = await claimStore(url);
  return claim ? { url, release: () => claim.release() } : inMemory;
}
