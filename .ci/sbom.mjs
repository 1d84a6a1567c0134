// Prints the bill of materials (CycloneDX, JSON) of what runs in production: node .ci/sbom.mjs
//
// `npm sbom --omit dev` would be shorter, but it leaves out every package that a development tool needs too, pg and zod
// among them (npm 11.19). What only builds and tests is marked right in the bill of everything, so it is taken out here.
import { execFileSync } from "node:child_process";

const bom = JSON.parse(
  execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--sbom-type", "application"], {
    cwd: new URL("..", import.meta.url),
    encoding: "utf8",
    maxBuffer: 100_000_000,
  }),
);

const isForDevelopment = ({ properties = [] }) =>
  properties.some(({ name }) => name === "cdx:npm:package:development");

const components = bom.components.filter((component) => !isForDevelopment(component));
// Of one version there may be two copies, only one of which runs.
const running = new Set([bom.metadata.component, ...components].map((component) => component["bom-ref"]));
const dependencies = bom.dependencies
  .filter(({ ref }) => running.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((on) => running.has(on)) }));

process.stdout.write(`${JSON.stringify({ ...bom, components, dependencies }, null, 2)}\n`);
