export {
  createAccounts,
  type Accounts,
  type GivenKey,
  type KeyKind,
  type KeyLimits,
} from "./accounts/accounts.ts";
export { createWeb, type Web, type WebOptions } from "./adapter.ts";
export type { Conversations, Cost, ExportFormat } from "./api/api.ts";
export { createWebDialect, type WebBody } from "./dialect.ts";
export { isName } from "./accounts/sign-in.ts";
export type { Shelf } from "./conversations/shelf.ts";
export type { Chosen } from "./conversations/talk.ts";
