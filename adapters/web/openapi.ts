import { z } from "zod";
import type { Route } from "./route.ts";

/** The API as an OpenAPI 3.1 document. */
export function describeApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const { method, path, summary, body, query, answer, media } of routes) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
    const inPath = names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
    const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => {
      const type = schema as z.ZodType;
      return {
        name,
        in: "query",
        required: !type.safeParse(undefined).success,
        schema: schemaOf(type, "input"),
      };
    });
    const parameters = [...inPath, ...inQuery];
    (paths[path] ??= {})[method] = {
      summary,
      ...(parameters.length > 0 && { parameters }),
      ...(body && { requestBody: { required: true, content: json(schemaOf(body, "input")) } }),
      responses: {
        ...done(answer, media),
        default: { description: "Not done", content: json(schemaOf(failure, "output")) },
      },
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Colloquy",
      version: "1",
      description: "The API of the web chat, for whoever is signed in.",
    },
    paths,
  };
}

function done(answer: z.ZodType | undefined, media: string | undefined): object {
  if (media) return { 200: { description: "Done", content: { [media]: {} } } };
  if (!answer) return { 204: { description: "Done" } };
  return { 200: { description: "Done", content: json(schemaOf(answer, "output")) } };
}

/** What comes back when something was not done. */
const failure = z.object({ error: z.string().describe("What happened, and what to do.") });

function json(schema: object) {
  return { "application/json": { schema } };
}

function schemaOf(type: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io });
  return schema;
}
