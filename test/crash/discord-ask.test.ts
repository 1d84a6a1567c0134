import { testCrashes } from "./crashes.ts";

testCrashes("Discord /ask");
