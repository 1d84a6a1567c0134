import { describe, expect, test } from "vitest";
import { showsLinks, useColor } from "../../../adapters/console/index.ts";

const xterm = { TERM: "xterm-256color" };

describe("colours", () => {
  test.each([
    [{}, true, true],
    [{}, undefined, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "0" }, true, false],
    [{ NO_COLOR: "" }, true, true],
    [{ TERM: "dumb" }, true, false],
    [{ FORCE_COLOR: "1" }, undefined, true],
    [{ FORCE_COLOR: "" }, undefined, true],
    [{ FORCE_COLOR: "0" }, true, false],
    [{ FORCE_COLOR: "false" }, true, false],
    [{ FORCE_COLOR: "3", NO_COLOR: "1" }, undefined, true],
  ])("with %j on a terminal: %j", (env, isTTY, color) => {
    expect(useColor({ env: { ...xterm, ...env }, isTTY })).toBe(color);
  });
});

describe("links", () => {
  test.each([
    [{}, true, false],
    [{ TERM_PROGRAM: "iTerm.app" }, true, true],
    [{ TERM_PROGRAM: "iTerm.app" }, undefined, false],
    [{ TERM_PROGRAM: "Apple_Terminal" }, true, false],
    [{ TERM: "xterm-kitty" }, true, true],
    [{ VTE_VERSION: "7600" }, true, true],
    [{ VTE_VERSION: "4902" }, true, false],
    [{ WT_SESSION: "0-0-0" }, true, true],
    [{ VTE_VERSION: "7600", TMUX: "/tmp/tmux" }, true, false],
    [{ VTE_VERSION: "7600", TERM: "dumb" }, true, false],
  ])("with %j on a terminal: %j", (env, isTTY, links) => {
    expect(showsLinks({ env: { ...xterm, ...env }, isTTY })).toBe(links);
  });
});
