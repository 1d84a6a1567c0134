import { describeAdapter } from "../../src/testing/contracts/adapter.ts";
import { startEchoPlatform } from "./echo-platform.ts";

describeAdapter("echo", async () => {
  const { say, ...platform } = await startEchoPlatform();
  return { ...platform, say: (text) => void say(text) };
});
