/** The contract tests of adapters, models, queues and stores, for vitest. */
export { type AdapterUnderTest, describeAdapter } from "./adapter.ts";
export { describeModel, type ModelUnderTest } from "./model.ts";
export { describeQueue } from "./queue.ts";
export type { QueueUnderTest } from "./queue-under-test.ts";
export { describeStore, type StoreUnderTest } from "./store.ts";
