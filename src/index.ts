/** The public API: all that a bot of your own needs. */
export type { Adapter, AnswerFile, CommandEntry, Pace, Receive } from "./adapter.ts";
export { type Colloquy, type ColloquyOptions, createColloquy } from "./colloquy.ts";
export type {
  Conversation,
  ConversationUsage,
  ConversationMessage as Saying,
  UsageTotals as Spent,
} from "./conversation/conversation.ts";
export {
  ConfigError,
  ModelError,
  type ModelErrorCode,
  Overflow,
  PlatformError,
  StoreError,
} from "./errors.ts";
export {
  type Address,
  type Attachment,
  type Chat,
  type ChatEvent,
  parseCommand,
  type User,
} from "./event.ts";
export type { Command, Handler, Offer, Reply, Turn } from "./handler.ts";
export type { HistoryLimits, LimitPolicy } from "./answer/limits.ts";
export { createDemoModel } from "./model/demo/demo.ts";
export { createFallback } from "./model/fallback.ts";
export type { Message, Model, ModelRequest, Price, Usage } from "./model/model.ts";
export { createOpenAI } from "./model/openai.ts";
export type { Block, Span, Style } from "./text/block.ts";
export type { Buttons, Choice, Dialect, Limits } from "./text/dialect/dialect.ts";
export { parseMarkdown } from "./text/parse/markdown.ts";
export { createPager, type Pager } from "./text/paginate/paginate.ts";
