import { ConfigError, PlatformError } from "../../src/errors.ts";

/** What the work was refused with, which must be a plain error of ours. */
export async function failure(work: Promise<unknown>): Promise<PlatformError | ConfigError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PlatformError || error instanceof ConfigError) return error;
  throw new Error("the work did not fail as it should", { cause: error });
}
