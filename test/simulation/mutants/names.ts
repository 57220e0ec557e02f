/** Names that a planted bug uses and nothing declares: it would be caught by its own ReferenceError, whatever the simulation is worth. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "../../../scripts/entries.mjs";
import type { Mutant } from "./mutant.ts";

/** "Cannot find name 'x'", also with a suggestion, and a shorthand property of that kind. */
const CANNOT_FIND_NAME = [2304, 2552, 18004];

/** One line for each, which begins with the bug's name. */
export function unknownNames(mutants: readonly Mutant[]): readonly string[] {
  const contents = new Map<string, string>();
  const versions = new Map<string, number>();
  const put = (path: string, text: string) => {
    contents.set(path, text);
    versions.set(path, (versions.get(path) ?? 0) + 1);
  };
  const service = ts.createLanguageService({
    getScriptFileNames: () => [...contents.keys()],
    getScriptVersion: (path) => String(versions.get(path) ?? 0),
    getScriptSnapshot: (path) => {
      const text = contents.get(path) ?? ts.sys.readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    // An import declares its names whether or not it is followed, and following none makes it fast.
    getCompilationSettings: () => ({
      noResolve: true,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts", "lib.dom.d.ts"],
    }),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
  });
  return mutants.flatMap(({ name, patches }) => {
    const files = new Map<string, string>();
    for (const { file, find, replace } of patches) {
      const path = join(root, file);
      files.set(
        path,
        (files.get(path) ?? readFileSync(path, "utf8")).replace(find, () => replace),
      );
    }
    return [...files].flatMap(([path, text]) => {
      put(path, text);
      return service
        .getSemanticDiagnostics(path)
        .filter(({ code }) => CANNOT_FIND_NAME.includes(code))
        .map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
    });
  });
}
