import { createTelegram } from "../../../adapters/telegram/index.ts";
import { startTelegramSimulator } from "../../../adapters/telegram/simulator/simulator.ts";
import { describeAdapter } from "../../../src/testing/contracts/adapter.ts";

describeAdapter("telegram", async () => {
  const simulator = await startTelegramSimulator();
  const { token, apiRoot } = simulator;
  return {
    adapter: createTelegram({ token, apiRoot }),
    say: (text) => void simulator.say("ann", text),
    shows: () => [...simulator.shows("ann")],
    close: () => simulator.close(),
  };
});
