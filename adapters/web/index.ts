export { createAccounts, type Accounts } from "./accounts/accounts.ts";
export type { GivenKey, KeyKind, KeyLimits } from "./accounts/keys.ts";
export { isName } from "./accounts/sign-in.ts";
export { createWeb, type Web, type WebOptions } from "./adapter.ts";
export type { Conversations, Cost, ExportFormat } from "./conversations/conversations.ts";
export type { RecordStore } from "./conversations/record-store.ts";
export type { Chosen } from "./conversations/user-actions.ts";
export { createWebDialect, type WebBody } from "./dialect.ts";
