export { createWebDialect, type WebBody } from "./dialect.ts";
