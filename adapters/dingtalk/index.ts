export { createDingtalk, type DingtalkOptions } from "./adapter.ts";
export { createDingtalkDialect, type DingtalkBody } from "./dialect.ts";
export { dingtalkPayload } from "./payload.ts";
