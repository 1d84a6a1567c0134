import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const root = join(import.meta.dirname, "../..");

const Compose = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string().optional(),
      build: z.string().optional(),
      cap_drop: z.array(z.string()),
      cap_add: z.array(z.string()).default([]),
      security_opt: z.array(z.string()),
      read_only: z.boolean(),
      tmpfs: z.array(z.string()),
      privileged: z.undefined().optional(),
      pids_limit: z.undefined().optional(),
      volumes: z.array(z.string()).default([]),
      ports: z.array(z.string()).default([]),
      deploy: z.looseObject({ resources: z.object({ limits: z.looseObject({ pids: z.int() }) }) }),
    }),
  ),
});

const { services } = Compose.parse(parse(read("docker-compose.yml"), { merge: true }));

describe.each(Object.entries(services))("in the container %s", (name, service) => {
  test("nothing can be written but volumes and what is gone with it", () => {
    expect(service.read_only).toBe(true);
    expect(service.tmpfs).toContain("/tmp");
    // Nothing of the machine is in it.
    for (const volume of service.volumes) expect(volume).toMatch(/^[a-z]+:\//);
  });

  test("there are no capabilities, and no way to get any", () => {
    expect(service.cap_drop).toEqual(["ALL"]);
    expect(service.security_opt).toEqual(["no-new-privileges:true"]);
    expect(service.cap_add).toEqual(
      name === "postgres" ? ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"] : [],
    );
  });

  test("there is room for the processes that it needs, and no more", () => {
    expect(service.deploy.resources.limits.pids).toBeLessThanOrEqual(256);
  });

  test("ports are open to this machine alone", () => {
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test("the image is ours, or named by its digest", () => {
    expect(service.image ?? "ours").toMatch(service.build === "." ? /^ours$/ : PINNED);
  });
});

const PINNED = /^[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/;

test("our image is built on one that is named by its digest, and does not run as root", () => {
  const lines = read("Dockerfile").split("\n");
  const bases = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
  expect(bases.length).toBe(2);
  expect(new Set(bases).size).toBe(1);
  for (const base of bases) expect(base).toMatch(PINNED);
  expect(lines.findLast((line) => line.startsWith("USER "))).toBe("USER node");
});

test("what is tested is what the lock file says, by the command of the README", () => {
  const command = "npm ci && npm test";
  expect(read(".ci/run").split("\n")).toContain(command);
  for (const readme of ["README.md", "README.zh-CN.md"]) expect(read(readme).split("\n")).toContain(command);
  expect(read("Dockerfile")).not.toMatch(/npm (install|i)\b/);
});

const Locked = z.object({
  version: z.string(),
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  devOptional: z.boolean().optional(),
});

type Locked = z.infer<typeof Locked>;

const Lock = z.object({ packages: z.record(z.string(), Locked) });

const Sbom = z.object({
  bomFormat: z.literal("CycloneDX"),
  components: z.array(
    z.object({ purl: z.string(), hashes: z.array(z.object({ alg: z.literal("SHA-512") })).min(1) }),
  ),
});

test("the bill of materials names every package that runs, with its hash, and none that only builds or tests", async () => {
  const { stdout } = await promisify(execFile)("npm", ["run", "--silent", "sbom"], {
    cwd: root,
    maxBuffer: 10_000_000,
  });
  const { components } = Sbom.parse(JSON.parse(stdout));
  const named = new Set(components.map(({ purl }) => decodeURIComponent(purl)));
  const { packages } = Lock.parse(JSON.parse(read("package-lock.json")));
  const { "": _, ...all } = packages;
  const purls = (kept: (entry: Locked) => boolean) =>
    Object.entries(all).flatMap(([path, entry]) => (kept(entry) ? [purlOf(path, entry)] : []));
  const running = purls(({ dev, devOptional, optional }) => !dev && !devOptional && !optional);
  expect(running.length).toBeGreaterThan(100);
  expect(running.filter((purl) => !named.has(purl))).toEqual([]);
  const maybe = new Set(purls(({ dev }) => !dev));
  expect([...named].filter((purl) => !maybe.has(purl))).toEqual([]);
});

function purlOf(path: string, { version }: Locked): string {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  return `pkg:npm/${name}@${version}`;
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}
