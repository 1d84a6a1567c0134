import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, by kill and restart, goes first: at the end everything else would have to wait for it. */
const LONGEST =
  /test\/(crash\/|postgres\/processes|playground\/|adapters\/web\/page|program\/program\.|(faults|kill|stop)\.)/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.test(moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** It replaces the process' WebSocket and its way to the network. */
const ALONE = ["test/proxy/proxy.test.ts"];

const shared = {
  // Most tests wait for a simulator, not for the processor.
  maxWorkers: 5,
  testTimeout: 90_000,
  hookTimeout: 60_000,
  globalSetup: "test/support/setup.ts",
};

export default defineConfig({
  test: {
    ...shared,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...shared,
          name: "together",
          include: ["test/**/*.test.ts"],
          exclude: ALONE,
          // A worker imports each module once, for all files that it runs; no module remembers a test.
          isolate: false,
        },
      },
      { test: { ...shared, name: "alone", include: ALONE } },
    ],
  },
});
