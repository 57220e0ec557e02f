/** The list of the package's parts that a release publishes. */
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { root } from "../../scripts/entries.mjs";
import { type Bom, makeBom } from "../../scripts/sbom.mjs";

const manifest: { name: string; version: string; dependencies: object; devDependencies: object } = JSON.parse(
  readFileSync(`${root}package.json`, "utf8"),
);
const packages: Readonly<Record<string, { version: string; integrity: string }>> = JSON.parse(
  readFileSync(`${root}package-lock.json`, "utf8"),
).packages;
const hex = (integrity: string) => Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");

let bom: Bom;
beforeAll(() => {
  bom = makeBom();
});

test("it is about this version of the package", () => {
  expect(bom.metadata.component).toMatchObject({ name: manifest.name, version: manifest.version });
});

test.each(Object.keys(manifest.dependencies))(
  "it names %s, with the version and the sha512 of the lock file",
  (name) => {
    const { version = "", integrity = "" } = packages[`node_modules/${name}`] ?? {};
    expect(bom.components.filter((component) => component.name === name)).toEqual([
      expect.objectContaining({
        version,
        purl: `pkg:npm/${name}@${version}`,
        hashes: [{ alg: "SHA-512", content: hex(integrity) }],
      }),
    ]);
  },
);

test("it says that the package depends on each of them", () => {
  const own = bom.dependencies.find(({ ref }) => ref === `${manifest.name}@${manifest.version}`);
  const names = own?.dependsOn.map((ref) => ref.slice(0, ref.lastIndexOf("@")));
  expect(names?.sort()).toEqual(Object.keys(manifest.dependencies).sort());
});

test("it names no tool", () => {
  const named = bom.components.map(({ name }) => name);
  expect(Object.keys(manifest.devDependencies).filter((name) => named.includes(name))).toEqual([]);
});
