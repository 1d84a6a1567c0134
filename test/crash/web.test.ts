import { testCrashes } from "./crashes.ts";

testCrashes("Web");
