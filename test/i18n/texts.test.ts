import { expect, test } from "vitest";
import { en, type TextName } from "../../src/i18n/en.ts";
import { inLanguage, localeOf, texts } from "../../src/i18n/texts.ts";
import { zh } from "../../src/i18n/zh.ts";

test("every sentence has the same gaps in every language", () => {
  const gaps = (sentence: unknown) => [...new Set(JSON.stringify(sentence).match(/\{\w+\}/g) ?? [])].sort();
  for (const name of Object.keys(en) as TextName[]) expect(gaps(zh[name]), name).toEqual(gaps(en[name]));
});

test("fills in values and counts", () => {
  expect(texts("en")("access.slow", { count: 1 })).toContain("a second");
  expect(texts("en-GB")("access.slow", { count: 7 })).toContain("7 seconds");
  expect(texts("zh-CN")("access.slow", { count: 7 })).toContain("7 秒");
  expect(texts("xx")("stop.done")).toBe("Stopped.");
  expect(texts("__proto__")("stop.done")).toBe("Stopped.");
});

test("answers in the language that the platform tells, else in that of the writing", () => {
  expect(localeOf("de", "你好")).toBe("de");
  expect(localeOf(undefined, "你好")).toBe("zh");
  expect(localeOf(undefined, "東京は何ですか")).toBe("en");
  expect(localeOf(undefined, "hello")).toBe("en");
});

test("picks the nearest translation", () => {
  expect(inLanguage({ en: "a", zh: "b" }, "zh-TW")).toBe("b");
  expect(inLanguage({ en: "a", zh: "b" }, "fr")).toBe("a");
});
