import { createRequire } from "node:module";

/**
 * How to load a package when it is first needed. What cannot be loaded then, as when the process may open no more files, is
 * loaded the next time: `import()` would fail for ever after, as Node remembers the failure of every file of a module.
 * `require` remembers none, once it is known where the package is; so that is looked up here.
 */
export function packageLoader(name: string): () => unknown {
  const require = createRequire(import.meta.url);
  const path = require.resolve(name);
  return () => require(path);
}
