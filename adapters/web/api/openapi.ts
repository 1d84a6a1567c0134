import { z } from "zod";
import type { Operation } from "./route.ts";

/** Describes the API as an OpenAPI 3.1 document. */
export function describeApi(operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) (paths[operation.path] ??= {})[operation.method] = describe(operation);
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
          description: "A key from `colloquy user add NAME --api`.",
        },
      },
    },
  };
}

function describe(operation: Operation): object {
  const { summary, body, access, failure = defaultFailure } = operation;
  const parameters = parametersOf(operation);
  return {
    summary,
    security: access === "everyone" ? [] : [{ [access ?? "session"]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: json(schemaOf(body, "input")) } }),
    responses: {
      ...successOf(operation),
      default: { description: "Not done", content: json(schemaOf(failure, "output")) },
    },
  };
}

function parametersOf({ path, query }: Operation): readonly object[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  const inPath = names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const type = schema as z.ZodType;
    const required = !type.safeParse(undefined).success;
    return { name, in: "query", required, schema: schemaOf(type, "input") };
  });
  return [...inPath, ...inQuery];
}

function successOf({ response, media }: Operation): object {
  const content = { ...(response && json(schemaOf(response, "output"))), ...(media && { [media]: {} }) };
  if (!response && !media) return { 204: { description: "Done" } };
  return { 200: { description: "Done", content } };
}

const defaultFailure = z.object({ error: z.string().describe("What went wrong, and what to do.") });

function json(schema: object) {
  return { "application/json": { schema } };
}

function schemaOf(type: z.ZodType, io: "input" | "output"): object {
  // `readonly` is a promise of this code to itself and says nothing to clients.
  const override = ({ jsonSchema }: { jsonSchema: { readOnly?: boolean } }) =>
    void delete jsonSchema.readOnly;
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io, override });
  return schema;
}
