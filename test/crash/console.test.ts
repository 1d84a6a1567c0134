import { testCrashes } from "./crashes.ts";

testCrashes("Console");
