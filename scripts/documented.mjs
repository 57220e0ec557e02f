/**
 * A step of `npm run check`: every public member has a doc comment. The rules are in CONTRIBUTING.md, under "Doc comments".
 * TypeDoc reads the public entries; its own warnings, such as a link that leads nowhere, fail the step too.
 */
import { relative } from "node:path";
import { pathToFileURL } from "node:url";
import {
  Application,
  Comment,
  IntrinsicType,
  LiteralType,
  ReferenceReflection,
  ReferenceType,
  ReflectionKind,
  ReflectionType,
  TypeDocReader,
  UnionType,
} from "typedoc";
import { root } from "./entries.mjs";

/**
 * @typedef {import("typedoc").DeclarationReflection} Declaration
 * @typedef {import("typedoc").CommentDisplayPart} Part
 *
 * @typedef {object} Member
 * @property {string} name "SyncClientOptions.pollMs"
 * @property {string} file
 * @property {number} line
 * @property {boolean} isDocumented
 * @property {boolean} lacksDefault
 *
 * @typedef {object} Place
 * @property {string} name what the type belongs to
 * @property {ReadonlySet<string>} mentioned the words in backticks of all comments around it
 * @property {boolean} isMember it is inside the type of a member, a parameter or a result
 */

/** What an optional member of options may say instead of `@default`. */
const INSTEAD_OF_DEFAULT = /\bIf omitted\b|\bRequired (?:if|when|unless)\b/;

/**
 * @param {import("typedoc").TypeDocOptions & { options: string }} options where TypeDoc's configuration is, and what replaces parts of it
 * @returns {Promise<{ members: Member[], warnings: number }>} TypeDoc writes its warnings to the console
 */
export async function readMembers(options) {
  const app = await Application.bootstrapWithPlugins({ logLevel: "Warn", ...options }, [new TypeDocReader()]);
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc could not read the sources");
  app.validate(project);
  const found = new Found();
  for (const entry of project.children ?? []) {
    found.note(entry, `${entry.name} (the entry's comment, with \`@module\`)`, isDocumented(entry));
    for (const exported of entry.children ?? []) {
      if (!(exported instanceof ReferenceReflection)) found.visitNamed(exported, exported.name, new Set());
    }
  }
  return { members: found.members, warnings: app.logger.warningCount + app.logger.errorCount };
}

class Found {
  /**
   * By place and name: what several interfaces inherit, or several types spell out, counts once.
   * @type {Map<string, Member>}
   */
  #members = new Map();

  get members() {
    return [...this.#members.values()];
  }

  /**
   * What has a name of its own: an export, or a member of an exported interface or class.
   * @param {Declaration} declaration
   * @param {string} name
   * @param {ReadonlySet<string>} around the words in backticks of the comments around it
   */
  visitNamed(declaration, name, around) {
    if (!isOurs(declaration)) return;
    if (!isLiteral(declaration)) this.note(declaration, name, isDocumented(declaration));
    const mentioned = new Set([...around, ...mentionedBy(declaration)]);
    for (const child of declaration.children ?? []) {
      const path = child.inheritedFrom?.name ?? `${name}.${child.name}`;
      this.visitNamed(child, path, mentioned);
      this.#checkDefault(child, name);
    }
    this.#visitTypes(declaration, { name, mentioned, isMember: declaration.kind !== ReflectionKind.TypeAlias });
  }

  /**
   * The types of a declaration: of its value, its parameters and its results. They may spell out objects.
   * @param {Declaration} declaration
   * @param {Place} place
   */
  #visitTypes(declaration, place) {
    this.#visitType(declaration.type, place);
    const signatures = [...declaration.getAllSignatures(), ...(declaration.indexSignatures ?? [])];
    for (const { parameters = [], type } of signatures) {
      for (const parameter of parameters) this.#visitType(parameter.type, { ...place, isMember: true });
      this.#visitType(type, { ...place, isMember: true });
    }
  }

  /**
   * @param {unknown} type
   * @param {Place} place
   */
  #visitType(type, place) {
    // What a type is called by name for is visited where it is declared. Of its arguments only those of the language's
    // own types are visited: `Promise<{ … }>`.
    if (type instanceof ReferenceType && type.package !== "typescript") return;
    if (type instanceof ReflectionType) this.#visitObject(type.declaration, place);
    else if (type instanceof UnionType) {
      type.types.forEach((variant, index) => {
        const summary = type.elementSummaries?.[index] ?? [];
        const inVariant = { ...place, mentioned: new Set([...place.mentioned, ...codeIn(summary)]) };
        if (variant instanceof ReflectionType) this.#noteVariant(variant.declaration, inVariant, summary.length > 0);
        this.#visitType(variant, inVariant);
      });
    } else if (typeof type === "object" && type !== null && "type" in type) {
      // Arrays, intersections, mapped and conditional types: the types that they hold.
      for (const part of Object.values(type).flat()) {
        if (part !== null && typeof part === "object" && "type" in part && !("kind" in part)) {
          this.#visitType(part, place);
        }
      }
    }
  }

  /**
   * An object type without a name. A comment around it documents each member that it names in backticks; the comment of a
   * member whose type is an object on one line documents all of that object.
   * @param {Declaration} object
   * @param {Place} place
   */
  #visitObject(object, place) {
    const children = (object.children ?? []).filter(isOurs);
    const isOneLine = new Set(children.map(({ sources }) => sources?.[0]?.line)).size === 1;
    for (const child of children) {
      const name = `${place.name}.${child.name}`;
      if (!isLiteral(child) && !(place.isMember && isOneLine)) {
        this.note(child, name, isDocumented(child) || place.mentioned.has(child.name));
      }
      this.#checkDefault(child, place.name);
      const mentioned = new Set([...place.mentioned, ...mentionedBy(child)]);
      this.#visitTypes(child, { name, mentioned, isMember: true });
    }
    this.#visitTypes(object, place);
  }

  /**
   * An object of a union that a literal tells from the others, such as `{ phase: "offline" }`: its meaning must be said.
   * @param {Declaration} object
   * @param {Place} place
   * @param {boolean} hasSummary
   */
  #noteVariant(object, { name, mentioned }, hasSummary) {
    const tag = object.children?.find(({ type }) => type instanceof LiteralType && type.value !== null);
    if (!(tag?.type instanceof LiteralType) || !isOurs(tag)) return;
    const isKnown = hasSummary || isDocumented(tag) || mentioned.has(String(tag.type.value));
    this.note(tag, `${name} { ${tag.name}: ${tag.type} }`, isKnown);
  }

  /**
   * An option says what holds without it.
   * @param {Declaration} declaration
   * @param {string} owner
   */
  #checkDefault(declaration, owner) {
    const member = this.#members.get(keyOf(declaration));
    if (member === undefined || !declaration.flags.isOptional || !owner.endsWith("Options")) return;
    member.lacksDefault = !commentsOf(declaration).some(
      (comment) => comment.getTag("@default") || INSTEAD_OF_DEFAULT.test(textOf(comment)),
    );
  }

  /**
   * @param {Declaration} declaration
   * @param {string} name
   * @param {boolean} isDocumented
   */
  note(declaration, name, isDocumented) {
    const key = keyOf(declaration);
    const before = this.#members.get(key);
    if (before !== undefined) before.isDocumented ||= isDocumented;
    else {
      const { fullFileName = "", line = 0 } = declaration.sources?.[0] ?? {};
      const file = relative(root, fullFileName).replaceAll("\\", "/");
      this.#members.set(key, { name, file, line, isDocumented, lacksDefault: false });
    }
  }
}

/** @param {Declaration} declaration */
function keyOf({ name, sources }) {
  const { fullFileName, line, character } = sources?.[0] ?? {};
  return `${fullFileName}:${line}:${character}:${name}`;
}

/** @param {Declaration} declaration */
function isOurs(declaration) {
  return declaration.sources?.some(({ fullFileName }) => !fullFileName.includes("/node_modules/")) ?? false;
}

/**
 * A type that is one literal, or `undefined`, needs no words.
 * @param {Declaration} declaration
 */
function isLiteral({ type }) {
  return type instanceof LiteralType || (type instanceof IntrinsicType && type.name === "undefined");
}

/**
 * TypeDoc hands the comment of a function, and of a member that is one, to its signatures.
 * @param {Declaration} declaration
 */
function commentsOf(declaration) {
  const value = declaration.type instanceof ReflectionType ? (declaration.type.declaration.signatures ?? []) : [];
  return [declaration, ...declaration.getAllSignatures(), ...value].flatMap(({ comment }) => comment ?? []);
}

/**
 * Without its tags: `@default` alone describes nothing.
 * @param {Comment} comment
 */
function textOf({ summary }) {
  return Comment.combineDisplayParts(summary).trim();
}

/** @param {Declaration} declaration */
function isDocumented(declaration) {
  return commentsOf(declaration).some((comment) => textOf(comment) !== "");
}

/** @param {Declaration} declaration */
function mentionedBy(declaration) {
  return new Set(
    commentsOf(declaration).flatMap(({ summary, blockTags }) =>
      [...summary, ...blockTags.flatMap(({ content }) => content)].flatMap((part) => codeIn([part])),
    ),
  );
}

/** @param {readonly Part[]} parts @returns {string[]} the words in backticks */
function codeIn(parts) {
  return parts.flatMap(({ kind, text }) => (kind === "code" ? (text.match(/[\w$~-]+/g) ?? []) : []));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { members, warnings } = await readMembers({ options: root });
  const faulty = members.filter((member) => !member.isDocumented || member.lacksDefault);
  for (const file of [...new Set(faulty.map((member) => member.file))].sort()) {
    const ofFile = faulty.filter((member) => member.file === file).sort((a, b) => a.line - b.line);
    console.log(`${file} (${ofFile.length})`);
    for (const { line, name, isDocumented, lacksDefault } of ofFile) {
      const faults = [...(isDocumented ? [] : ["no description"]), ...(lacksDefault ? ["no `@default`"] : [])];
      console.log(`  :${line} ${name}: ${faults.join(", ")}`);
    }
  }
  console.log(
    `${members.length} public members, ${faulty.length} of them without the doc comment that CONTRIBUTING.md asks for`,
  );
  process.exitCode = faulty.length > 0 || warnings > 0 ? 1 : 0;
}
