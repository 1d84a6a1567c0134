import { createDiscord } from "../../../adapters/discord/index.ts";
import { startDiscordSimulator } from "../../../adapters/discord/simulator/simulator.ts";
import { describeAdapter } from "../../../src/testing/contracts/adapter.ts";

describeAdapter("discord", async () => {
  const simulator = await startDiscordSimulator();
  const { token, apiRoot } = simulator;
  return {
    adapter: createDiscord({ token, apiRoot }),
    say: (text) => void simulator.say("ann", text),
    shows: () => [...simulator.shows("ann")],
    close: () => simulator.close(),
  };
});
