import { testCrashes } from "./crashes.ts";

testCrashes("Telegram");
