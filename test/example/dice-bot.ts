import { type Adapter, createColloquy, createDemoModel } from "../../src/index.ts";

/** The bot of the README: a command of its own and a middleware of its own. */
export async function diceBot(adapter: Adapter) {
  const dice = {
    name: "dice",
    description: { en: "Roll a die" },
    run: () => `You rolled a **${1 + Math.floor(Math.random() * 6)}**.`,
  };
  return createColloquy({
    adapters: [adapter],
    model: createDemoModel(),
    store: "memory:",
    commands: [dice],
    middleware: [(turn, next) => (turn.event.text === "ping" ? "pong" : next())],
  });
}
