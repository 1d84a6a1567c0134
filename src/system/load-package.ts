import { createRequire } from "node:module";

/**
 * Returns a function that loads a package when it is first needed. If loading fails, for example because the process has
 * too many open files, the next call tries again. `import()` would fail for ever, because Node caches the failure of each
 * module; `require` with a resolved path does not, so the path is resolved here.
 */
export function packageLoader(name: string): () => unknown {
  const require = createRequire(import.meta.url);
  const path = require.resolve(name);
  return () => require(path);
}
