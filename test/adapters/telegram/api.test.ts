import { getEventListeners } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { createCall } from "../../../adapters/telegram/api.ts";
import { startTelegramSimulator } from "../../../adapters/telegram/simulator/simulator.ts";

/** How many signals Node remembers to have been made from this one; it forgets none as long as this one lives. */
function madeFrom(signal: AbortSignal): number {
  const symbol = Object.getOwnPropertySymbols(signal).find(
    ({ description }) => description === "kDependantSignals",
  );
  const made: unknown = symbol && Reflect.get(signal, symbol);
  return typeof made === "object" && made ? Number(Reflect.get(made, "size")) : 0;
}

test("calls leave nothing behind at the signal that ends them", async () => {
  const telegram = await startTelegramSimulator();
  onTestFinished(() => telegram.close());
  const call = createCall(telegram);
  const { signal } = new AbortController();
  for (let index = 0; index < 20; index += 1) await call("getMe", {}, { signal });
  await expect(call("noSuchMethod", {}, { signal })).rejects.toThrow("404");
  expect(madeFrom(signal)).toBe(0);
  expect(getEventListeners(signal, "abort")).toEqual([]);

  // What is looked for here, to show that it would be found.
  AbortSignal.any([signal]);
  expect(madeFrom(signal)).toBe(1);
});

test("a call ends in time, and with its signal", async () => {
  const telegram = await startTelegramSimulator();
  onTestFinished(() => telegram.close());
  const call = createCall(telegram);
  telegram.fail({ method: "getMe", how: "hang", times: 2 });
  await expect(call("getMe", {}, { timeoutMs: 20 })).rejects.toThrow("no answer in time");
  const stop = new AbortController();
  const pending = call("getMe", {}, { signal: stop.signal });
  stop.abort(new Error("stopped by the test"));
  await expect(pending).rejects.toThrow("stopped by the test");
  await expect(call("getMe", {}, { signal: stop.signal })).rejects.toThrow("stopped by the test");
});
