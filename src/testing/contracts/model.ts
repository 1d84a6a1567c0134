import { describe, expect, test } from "vitest";
import type { Message, Model, Usage } from "../../model/model.ts";

/** A model, and a service behind it that repeats the question in its answer, slowly enough to be interrupted. */
export interface ModelUnderTest {
  readonly model: Model;
  readonly close: () => Promise<void>;
}

/** Declares the tests that every model must pass. */
export function describeModel(name: string, build: () => Promise<ModelUnderTest>): void {
  describe(`model: ${name}`, () => {
    test("streams the answer in chunks and returns its usage", () =>
      withModel(async (model) => {
        const { pieces, usage } = await listen(model, "My name is Bartholomew");
        expect(pieces.length).toBeGreaterThan(1);
        expect(pieces).not.toContain("");
        expect(pieces.join("")).toContain("Bartholomew");
        expect(usage.input).toBeGreaterThan(0);
        expect(usage.output).toBeGreaterThan(0);
        expect(typeof usage.estimated).toBe("boolean");
      }));

    test("leaves out the reasoning", () =>
      withModel(async (model) => {
        const { pieces } = await listen(model, "My name is Bartholomew");
        expect(pieces.join("")).not.toMatch(/<\/?think|secret thought/);
      }));

    test("has a name and a context length", () =>
      withModel(async (model) => {
        expect(model.name).not.toBe("");
        expect(model.contextTokens).toBeGreaterThan(0);
      }));

    test("throws the reason of a signal that is already aborted", () =>
      withModel(async (model) => {
        const reason = new Error("too late");
        const heard: string[] = [];
        await expect(hear(model, ask("Hello"), { heard, signal: AbortSignal.abort(reason) })).rejects.toBe(
          reason,
        );
        expect(heard).toEqual([]);
      }));

    test("throws the reason of an abort in the middle, and yields nothing more", () =>
      withModel(async (model) => {
        const reason = new Error("enough");
        const controller = new AbortController();
        const heard: string[] = [];
        const hearing = hear(model, ask("Write 5000 characters of it"), {
          heard,
          signal: controller.signal,
          onPiece: () => heard.length === 2 && controller.abort(reason),
        });
        await expect(hearing).rejects.toBe(reason);
        expect(heard).toHaveLength(2);
      }));

    test("can be aborted while it waits for the next chunk", () =>
      withModel(async (model) => {
        const reason = new Error("enough");
        const controller = new AbortController();
        const heard: string[] = [];
        const hearing = hear(model, ask("Write 5000 characters of it"), {
          heard,
          signal: controller.signal,
          onPiece: () => heard.length === 1 && setImmediate(() => controller.abort(reason)),
        });
        await expect(hearing).rejects.toBe(reason);
      }));

    test("allows the consumer to stop early", () =>
      withModel(async (model) => {
        const heard: string[] = [];
        for await (const piece of model.answer({ messages: ask("Write 5000 characters of it") }, never())) {
          heard.push(piece);
          if (heard.length === 2) break;
        }
        expect(heard).toHaveLength(2);
        expect((await listen(model, "My name is Bartholomew")).pieces.join("")).toContain("Bartholomew");
      }));

    test("answers two questions at once, each with its own answer", () =>
      withModel(async (model) => {
        const [ann, bob] = await Promise.all([
          listen(model, "My name is Annabella"),
          listen(model, "My name is Bobadilla"),
        ]);
        expect(ann.pieces.join("")).toContain("Annabella");
        expect(ann.pieces.join("")).not.toContain("Bobadilla");
        expect(bob.pieces.join("")).toContain("Bobadilla");
        expect(bob.pieces.join("")).not.toContain("Annabella");
      }));

    async function withModel(run: (model: Model) => Promise<void>): Promise<void> {
      const { model, close } = await build();
      try {
        await run(model);
      } finally {
        await close();
      }
    }
  });
}

/** All pieces of an answer and its bill. */
export async function listen(
  model: Model,
  question: string | readonly Message[],
): Promise<{ pieces: string[]; usage: Usage }> {
  const pieces: string[] = [];
  const messages = typeof question === "string" ? ask(question) : question;
  const usage = await hear(model, messages, { heard: pieces });
  return { pieces, usage };
}

/** What an answer throws, and what it said before. */
export async function listenToFailure(
  model: Model,
  question = "Hello",
): Promise<{ heard: string; error: unknown }> {
  const heard: string[] = [];
  const error: unknown = await hear(model, ask(question), { heard }).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { heard: heard.join(""), error };
}

interface Hearing {
  /** Filled piece by piece, so that it is known even if the answer throws. */
  readonly heard: string[];
  readonly signal?: AbortSignal;
  readonly onPiece?: () => unknown;
}

async function hear(model: Model, messages: readonly Message[], hearing: Hearing): Promise<Usage> {
  const answer = model.answer({ messages }, hearing.signal ?? never());
  for (;;) {
    const { value, done } = await answer.next();
    if (done) return value;
    hearing.heard.push(value);
    hearing.onPiece?.();
  }
}

function ask(content: string): Message[] {
  return [{ role: "user", content }];
}

function never(): AbortSignal {
  return new AbortController().signal;
}
