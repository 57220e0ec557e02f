/** What a source file declares in its types: the lists that the docs are compared with. */
import { readFileSync } from "node:fs";
import ts from "typescript";
import { root } from "../../scripts/entries.mjs";

function statements(path: string): readonly ts.Statement[] {
  return [...ts.createSourceFile(path, readFileSync(root + path, "utf8"), ts.ScriptTarget.ESNext, true).statements];
}

function named<T extends ts.Statement>(path: string, name: string, is: (node: ts.Statement) => node is T): T {
  const found = statements(path).find(
    (node): node is T => is(node) && "name" in node && (node.name as ts.Identifier).text === name,
  );
  if (found === undefined) throw new Error(`${path} has no ${name}`);
  return found;
}

/** The members of an interface: ErrorDetails, SyncEvents. */
export function membersOf(path: string, name: string): readonly string[] {
  return named(path, name, ts.isInterfaceDeclaration).members.map((member) => member.name?.getText() ?? "");
}

/**
 * Every string literal of a type, wherever in it or in an alias of its file that it names; with `member`, those in
 * members of this name.
 */
export function literalsOf(path: string, name: string, member?: string): readonly string[] {
  return literalsIn(path, named(path, name, ts.isTypeAliasDeclaration).type, member);
}

function literalsIn(path: string, type: ts.Node, member?: string): readonly string[] {
  const literals = new Set<string>();
  const visit = (node: ts.Node, inside: boolean): void => {
    const within = inside || (ts.isPropertySignature(node) && node.name.getText() === member);
    if (within && ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) literals.add(node.literal.text);
    const alias = within && ts.isTypeReferenceNode(node) ? aliasOf(path, node.typeName.getText()) : undefined;
    if (alias !== undefined) visit(alias.type, true);
    ts.forEachChild(node, (child) => visit(child, within));
  };
  visit(type, member === undefined);
  return [...literals];
}

function aliasOf(path: string, name: string): ts.TypeAliasDeclaration | undefined {
  return statements(path)
    .filter(ts.isTypeAliasDeclaration)
    .find((alias) => alias.name.text === name);
}

/** The literals of `member` in the variant of a union whose discriminant says `kind`. */
export function ofVariant(
  path: string,
  name: string,
  discriminant: string,
  kind: string,
  member: string,
): readonly string[] {
  const { type } = named(path, name, ts.isTypeAliasDeclaration);
  if (!ts.isUnionTypeNode(type)) throw new Error(`${name} is no union`);
  const property = (variant: ts.TypeNode, wanted: string) =>
    ts.isTypeLiteralNode(variant)
      ? variant.members.find((m) => ts.isPropertySignature(m) && m.name.getText() === wanted)
      : undefined;
  const variant = type.types.find((v) => property(v, discriminant)?.getText().includes(`"${kind}"`));
  if (variant === undefined) throw new Error(`${name} has no variant ${kind}`);
  const found = property(variant, member);
  return found === undefined ? [] : literalsIn(path, found);
}

/** The members of an interface that have a doc comment. */
export function documentedMembersOf(path: string, name: string): readonly string[] {
  return named(path, name, ts.isInterfaceDeclaration)
    .members.filter((member) => ts.getJSDocCommentsAndTags(member).length > 0)
    .map((member) => member.name?.getText() ?? "");
}

/** A line of a doc comment that explains a name, alone or in a list: "`pending`: it waits to be sent". */
const EXPLAINED = /^[ \t/*]*(?:- )?`([^`]+)`:/gm;

/**
 * The names that the doc comments of `member` explain, wherever it is in a type. With `kind`: only in variants that
 * have this literal.
 */
export function documentedNames(path: string, name: string, member: string, kind?: string): readonly string[] {
  const { type } = named(path, name, ts.isTypeAliasDeclaration);
  const variants = ts.isUnionTypeNode(type) ? [...type.types] : [type];
  const isWanted = (variant: ts.TypeNode) => kind === undefined || literalsIn(path, variant).includes(kind);
  return variants.filter(isWanted).flatMap((variant) =>
    (ts.isTypeLiteralNode(variant) ? [...variant.members] : [])
      .filter((candidate) => candidate.name?.getText() === member)
      .flatMap(ts.getJSDocCommentsAndTags)
      .flatMap((comment) => [...comment.getText().matchAll(EXPLAINED)].map(([, explained = ""]) => explained)),
  );
}

/** The interfaces and type aliases that a file exports, its own and those that it re-exports. */
export function typesExportedBy(path: string): readonly string[] {
  const own = statements(path)
    .filter((node) => ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))
    .filter(({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    .map(({ name }) => name.text);
  return [...own, ...exportLists(path).flatMap(({ isType, names }) => (isType ? names : []))];
}

/** The names in the `export { … }` of an entry. */
export function namesExportedBy(path: string): readonly string[] {
  return exportLists(path).flatMap(({ names }) => names);
}

function exportLists(path: string): readonly { readonly isType: boolean; readonly names: readonly string[] }[] {
  return statements(path)
    .filter(ts.isExportDeclaration)
    .map(({ isTypeOnly, exportClause }) => ({
      isType: isTypeOnly,
      names:
        exportClause !== undefined && ts.isNamedExports(exportClause)
          ? exportClause.elements.map(({ name }) => name.text)
          : [],
    }));
}
