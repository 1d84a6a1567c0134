export { createConsole, type Console, type ConsoleOptions, type Said, type Seat } from "./adapter.ts";
export { linesOf, openTerminal, type Terminal, type TerminalOptions } from "./terminal.ts";
export { createConsoleDialect } from "./dialect.ts";
export { showsLinks, useColor } from "./support.ts";
