import { z } from "zod";
import type { Described } from "./route.ts";

/** The API as an OpenAPI 3.1 document. */
export function describeApi(all: readonly Described[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const one of all) {
    const { method, path, summary, body, query, access, failure = notDone } = one;
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
      security: access === "everyone" ? [] : [{ [access ?? "session"]: [] }],
      ...(parameters.length > 0 && { parameters }),
      ...(body && { requestBody: { required: true, content: json(schemaOf(body, "input")) } }),
      responses: {
        ...done(one),
        default: { description: "Not done", content: json(schemaOf(failure, "output")) },
      },
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Colloquy",
      version: "1",
      description:
        "What the page of the web chat does, for programs; and OpenAI's API in front of a persona.",
    },
    paths,
    components: {
      securitySchemes: {
        session: {
          type: "apiKey",
          in: "cookie",
          name: "colloquy_…",
          description:
            "The cookie that POST /api/session sets; its name ends differently for each server, and begins with " +
            "__Host- where there is TLS.",
        },
        key: {
          type: "http",
          scheme: "bearer",
          description: "A key that `colloquy user add NAME --api` has printed.",
        },
      },
    },
  };
}

function done({ answer, media }: Described): object {
  const content = { ...(answer && json(schemaOf(answer, "output"))), ...(media && { [media]: {} }) };
  if (!answer && !media) return { 204: { description: "Done" } };
  return { 200: { description: "Done", content } };
}

/** What comes back when something was not done. */
const notDone = z.object({ error: z.string().describe("What happened, and what to do.") });

function json(schema: object) {
  return { "application/json": { schema } };
}

function schemaOf(type: z.ZodType, io: "input" | "output"): object {
  // That our code does not change a list is nobody else's business.
  const override = ({ jsonSchema }: { jsonSchema: { readOnly?: boolean } }) =>
    void delete jsonSchema.readOnly;
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io, override });
  return schema;
}
