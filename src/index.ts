/** The public API: what a bot or an adapter of your own needs. */

// A bot.
export { type Colloquy, type ColloquyOptions, createColloquy, type Role } from "./colloquy.ts";
export type { HistoryLimits, LimitPolicy } from "./answer/limits.ts";
export {
  type Command,
  type Handler,
  isStream,
  type Offer,
  type Reply,
  type Turn,
} from "./handler.ts";
export type { Conversation, ConversationMessage, ConversationUsage } from "./conversation/conversation.ts";
export { createLog, type Log, type LogOptions } from "./log.ts";
export { openStore, type Store } from "./store/store.ts";

// Models.
export { createDemoModel } from "./model/demo/demo.ts";
export { createFallback } from "./model/fallback.ts";
export type { Message, Model, ModelRequest, Price, Usage } from "./model/model.ts";
export { createOpenAI, type OpenAIOptions } from "./model/openai.ts";

// An adapter.
export type {
  Adapter,
  AnswerFile,
  Cluster,
  CommandEntry,
  Files,
  HighWaterMark,
  HttpEndpoint,
  Pace,
  PubSub,
  Receive,
  Recovery,
  RequestFrom,
} from "./adapter.ts";
export {
  type Address,
  type Attachment,
  type Chat,
  type ChatEvent,
  type ChatKind,
  type Json,
  MAX_TEXT,
  parseCommand,
  type User,
} from "./event.ts";
export { isSame } from "./http/is-same.ts";
export { createWebhook, type WebhookOptions } from "./http/webhook.ts";

// Text: Markdown, blocks, pages, and what dialects share.
export type {
  Block,
  Cell,
  Code,
  Heading,
  List,
  ListItem,
  Paragraph,
  Quote,
  Rule,
  Span,
  Style,
  Table,
} from "./text/block.ts";
export type { Buttons, Choice, Dialect, Limits } from "./text/dialect/dialect.ts";
export { type Mark, type MarkWriter, writeSpans } from "./text/dialect/nest.ts";
export { alignTable, tableCards } from "./text/dialect/table.ts";
export { displayWidth } from "./text/dialect/width.ts";
export { type Link, spellOutLinks } from "./text/links.ts";
export { createPager, type Pager } from "./text/paginate/paginate.ts";
export { parseMarkdown } from "./text/parse/markdown.ts";

// Errors.
export {
  ConfigError,
  describeError,
  ModelError,
  type ModelErrorCode,
  Overflow,
  PlatformError,
  type PlatformErrorDetails,
  StoreError,
} from "./errors.ts";
