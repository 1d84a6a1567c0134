import { openExistingStore } from "../store/store.ts";
import { ownSettings, toStderr } from "./environment.ts";

/** `colloquy backup FILE`. */
export async function backup(file: string): Promise<void> {
  const store = await openExistingStore(ownSettings().STORE_URL, toStderr);
  try {
    await store.backup(file);
  } finally {
    await store.close();
  }
  process.stdout.write(`The store was copied to ${file}.\n`);
}
