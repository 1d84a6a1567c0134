/** A bot that ends with the word "poison", and stands still with "hang", as a process: `poisoned-bot.ts STORE_URL ECHO_URL`. */
import { writeSync } from "node:fs";
import { createColloquy } from "../../src/colloquy.ts";
import { createDemoModel } from "../../src/model/demo/demo.ts";
import { createEcho } from "../example/echo-adapter.ts";

const [, , store = "", url = ""] = process.argv;
const bot = await createColloquy({
  adapters: [createEcho({ url, secret: "of the platform" })],
  model: createDemoModel(),
  middleware: [
    ({ event }) => {
      if (event.text === "poison") process.kill(process.pid, "SIGKILL");
      if (event.text === "hang") {
        writeSync(1, "hanging\n");
        for (;;);
      }
      return `You said: ${event.text}`;
    },
  ],
  store,
});
await bot.start();
