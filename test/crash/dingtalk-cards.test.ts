import { testCrashes } from "./crashes.ts";

testCrashes("DingTalk cards");
