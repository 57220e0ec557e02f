/** The API reference: `npm run docs:api` writes it into dist-docs, and scripts/documented.mjs reads the same sources. */
import { OptionDefaults } from "typedoc";
import { publicEntries } from "./scripts/entries.mjs";

/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  name: "tillsync",
  entryPoints: publicEntries().map(({ source }) => source),
  tsconfig: "tsconfig.json",
  out: "dist-docs",
  // The README and the guides link to each other and into the sources; here only their text would arrive.
  readme: "none",
  excludeExternals: true,
  // `npm run check` compiles the sources in a step of its own.
  skipErrorChecking: true,
  // A checkout may have no remote, or one of another name.
  disableGit: true,
  gitRevision: "main",
  sourceLinkTemplate: "https://github.com/tillsync/tillsync/blob/{gitRevision}/{path}#L{line}",
  blockTags: [...OptionDefaults.blockTags, "@minimum", "@maximum"],
  // The text of `@default` is a value or words; TypeDoc would print either as a block of code.
  jsDocCompatibility: { defaultTag: false },
  // scripts/documented.mjs finds what is undocumented. TypeDoc would ask for a comment on each discriminant too, and for none of
  // the defaults. Types that only other types use, such as those that are named after a compiler's message, are not exported.
  validation: { notDocumented: false, notExported: false, invalidLink: true },
};
