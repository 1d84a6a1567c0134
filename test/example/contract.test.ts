import { describeAdapter } from "../contract/adapter.ts";
import { startEchoPlatform } from "./echo-platform.ts";

describeAdapter("echo", async () => {
  const { say, ...platform } = await startEchoPlatform();
  return { ...platform, say: (text) => void say(text) };
});
