import { createRequire } from "node:module";
import type * as Sdk from "dingtalk-stream";
import { expect, onTestFinished, test } from "vitest";
import { startDingtalkSimulator } from "../../../adapters/dingtalk/simulator/simulator.ts";
import { until } from "../../../src/testing/until.ts";

/** What is used of the HTTP client that DingTalk's package brings along. */
interface Axios {
  readonly interceptors: {
    readonly request: {
      use(change: (request: { url?: string }) => object): number;
      eject(id: number): void;
    };
  };
  post(url: string, body: object): Promise<{ readonly data: unknown }>;
}

const require = createRequire(import.meta.url);
const { DWClient, TOPIC_ROBOT }: typeof Sdk = require("dingtalk-stream");
/** The very instance that the package uses. */
const axios: Axios = createRequire(require.resolve("dingtalk-stream"))("axios");

test("DingTalk's own package connects to the simulator and exchanges messages with it", async () => {
  const dingtalk = await startDingtalkSimulator({ redeliverMs: 200 });
  const { clientId, clientSecret, apiRoot } = dingtalk;
  // Its addresses are constants; nothing else is changed.
  const detour = axios.interceptors.request.use((request) => ({
    ...request,
    url: request.url?.replace("https://api.dingtalk.com", apiRoot),
  }));
  const client = new DWClient({ clientId, clientSecret, keepAlive: false });
  onTestFinished(async () => {
    client.disconnect();
    axios.interceptors.request.eject(detour);
    await dingtalk.close();
  });
  const heard: string[] = [];
  client.registerCallbackListener(TOPIC_ROBOT, ({ headers, data }) => {
    const { text, sessionWebhook } = JSON.parse(data) as {
      text: { content: string };
      sessionWebhook: string;
    };
    heard.push(text.content.trim());
    const markdown = { title: "echo", text: `You said: ${text.content.trim()}` };
    void axios.post(sessionWebhook, { msgtype: "markdown", markdown }).then(({ data: answer }) => {
      // The first time it forgets to acknowledge.
      if (heard.length > 1) client.socketCallBackResponse(headers.messageId, answer);
    });
  });
  await client.connect();
  await until(() => dingtalk.stream.connections === 1);

  dingtalk.say("ann", "hello");
  await until(() => heard.length === 2 && dingtalk.stream.pending === 0);
  dingtalk.say("ann", "and in a group", { chat: "team" });
  await until(() => dingtalk.shows("team").length === 1 && dingtalk.stream.pending === 0);
  dingtalk.stream.ping();
  await until(() => dingtalk.stream.pongs === 1);

  expect(heard).toEqual(["hello", "hello", "and in a group"]);
  expect(dingtalk.shows("ann")).toEqual(["You said: hello", "You said: hello"]);
  expect(dingtalk.shows("team")).toEqual(["You said: and in a group"]);
});
