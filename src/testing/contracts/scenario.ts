import { test } from "vitest";

/** Declares a test with a database of its own. */
export type Scenario<Subject> = (title: string, run: (subject: Subject) => Promise<void>) => void;

/** How scenarios are declared; each builds its database, and closes it at the end. */
export function scenariosOf<Subject extends { close(): Promise<void> }>(
  build: () => Promise<Subject>,
): Scenario<Subject> {
  return (title, run) =>
    test(title, async () => {
      const subject = await build();
      try {
        await run(subject);
      } finally {
        await subject.close();
      }
    });
}
