import { expect, test } from "vitest";
import { captureLog } from "./support/log.ts";

test("secrets never come out, wherever they stand", () => {
  const { log, lines } = captureLog(["123:very-secret"]);
  log.error(
    { url: "https://x/bot123:very-secret/getMe", err: new Error("bot123:very-secret failed") },
    "123:very-secret",
  );
  expect(lines()).not.toContain("very-secret");
  expect(JSON.parse(lines())).toMatchObject({
    level: 50,
    msg: "[secret]",
    url: "https://x/bot[secret]/getMe",
  });
});
