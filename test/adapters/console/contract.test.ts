import { PassThrough } from "node:stream";
import { createConsole, linesOf } from "../../../adapters/console/index.ts";
import { describeAdapter } from "../../../src/testing/contracts/adapter.ts";
import { createScreen } from "../../../adapters/console/simulator.ts";

describeAdapter("console", () => build(false));
describeAdapter("console", () => build(true));

async function build(isTTY: boolean) {
  const input = new PassThrough();
  const screen = createScreen({ isTTY });
  const console = createConsole({ input: linesOf(input), output: screen.output, user: "ann", color: false });
  return {
    adapter: console,
    say: (text: string) => void input.write(`${text}\n`),
    shows: () => screen.lines(),
    close: async () => void input.end(),
  };
}
