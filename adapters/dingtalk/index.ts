export { createDingtalk, type DingtalkOptions } from "./adapter.ts";
export { createDingtalkDialect, type DingtalkBody } from "./dialect/dialect.ts";
export { dingtalkPayload } from "./send/payload.ts";
