import { createDingtalk } from "../../../adapters/dingtalk/index.ts";
import { startDingtalkSimulator } from "../../../adapters/dingtalk/simulator/simulator.ts";
import { describeAdapter } from "../../../src/testing/contracts/adapter.ts";

describeAdapter("dingtalk", async () => {
  const simulator = await startDingtalkSimulator();
  return {
    adapter: createDingtalk(simulator),
    say: (text) => void simulator.say("ann", text),
    shows: () => [...simulator.shows("ann")],
    close: () => simulator.close(),
  };
});

describeAdapter("dingtalk", async () => {
  const cardTemplate = { id: "a.schema", field: "content" };
  const simulator = await startDingtalkSimulator({ cardTemplate });
  const { clientId, clientSecret, apiRoot } = simulator;
  return {
    adapter: createDingtalk({ clientId, clientSecret, apiRoot, cardTemplate }),
    say: (text) => void simulator.say("ann", text),
    shows: () => [...simulator.shows("ann")],
    close: () => simulator.close(),
  };
});
