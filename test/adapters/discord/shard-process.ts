import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDiscord } from "../../../adapters/discord/adapter.ts";

/** Runs partitions of a bot in a process that the tests can kill: a line for each event, once it is stored. */
const [token = "", apiRoot = "", folder = "", ...partitions] = process.argv.slice(2);
const place = (name: string) => join(folder, encodeURIComponent(name));
const bot = createDiscord({
  token,
  apiRoot,
  sessions: (name) => ({
    load: () => readFile(place(name), "utf8").catch(() => undefined),
    save: async (text) => {
      // A store writes all or nothing, though the process is killed meanwhile.
      await writeFile(`${place(name)}.new`, text);
      await rename(`${place(name)}.new`, place(name));
    },
  }),
});
for (const partition of partitions)
  await bot.start(async ({ text }) => void process.stdout.write(`${text}\n`), [], partition);
process.stdout.write("ready\n");
