import { openHistory } from "../conversation/conversation.ts";
import { createThreads, type Threads } from "../conversation/threads.ts";
import { createKeyedLock } from "../store/keyed-lock.ts";
import type { Store } from "../store/store.ts";

/** Opens the conversations at the console. `url`: the URL of the store. */
export async function openThreads(store: Store, url: string): Promise<Threads> {
  const history = await openHistory(store);
  return createThreads({ store, history, platform: "console", lock: createKeyedLock(store, url) });
}
