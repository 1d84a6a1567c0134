export { createAccounts, type Accounts, type GivenKey, type KeyKind, type KeyLimits } from "./accounts.ts";
export { createWeb, type Web, type WebOptions } from "./adapter.ts";
export type { Conversations, Cost, ExportFormat } from "./api.ts";
export { createWebDialect, type WebBody } from "./dialect.ts";
export { isName } from "./sign-in.ts";
export type { Shelf } from "./shelf.ts";
export type { Chosen } from "./talk.ts";
