/** What the layering rules look at in a source: its imports, which globals it reaches into, and whether it waits. */
import { posix } from "node:path";
import ts from "typescript";

export interface SourceFile {
  /** From the project's root: "src/shared/errors.ts". */
  readonly path: string;
  readonly imports: readonly Import[];
  /** ["Math", "random"], ["globalThis", "fetch"]: the members taken of names that this file does not declare. */
  readonly globalMembers: readonly Member[];
  /** Has an `async` or an `await` in it. */
  readonly waits: boolean;
}

export interface Import {
  readonly specifier: string;
  /** The file that a relative specifier names, whether it exists or not. */
  readonly target: string | undefined;
  readonly reExport: boolean;
}

type Member = readonly [object: string, member: string];

export function readSource(path: string, text: string): SourceFile {
  const nodes = everyNode(ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true));
  const declared = new Set(nodes.flatMap(declaredName));
  return {
    path,
    imports: nodes.flatMap((node) =>
      importedSpecifier(node).map((specifier) => ({
        specifier,
        target: specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : undefined,
        reExport: ts.isExportDeclaration(node),
      })),
    ),
    globalMembers: nodes.flatMap(takenMembers).filter(([object]) => !declared.has(object)),
    waits: nodes.some((node) => node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)),
  };
}

function everyNode(root: ts.Node): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return nodes;
}

/** `import … from "x"`, `export … from "x"`, `import("x")`, and the type `import("x").Y` → "x" */
function importedSpecifier(node: ts.Node): string[] {
  const specifier =
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
        ? node.argument.literal
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
  return specifier !== undefined && ts.isStringLiteralLike(specifier) ? [specifier.text] : [];
}

/** `Math.random`, `Math["random"]` and `const { random } = Math` → ["Math", "random"] */
function takenMembers(node: ts.Node): Member[] {
  if (ts.isPropertyAccessExpression(node)) return memberOf(node.expression, node.name.text);
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
    return memberOf(node.expression, node.argumentExpression.text);
  }
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name)) {
    const { initializer, name } = node;
    return name.elements.flatMap((element) => memberOf(initializer, (element.propertyName ?? element.name).getText()));
  }
  return [];
}

function memberOf(object: ts.Expression | undefined, member: string): Member[] {
  const name = object && withoutCasts(object);
  return name && ts.isIdentifier(name) ? [[name.text, member]] : [];
}

/** `(globalThis as Shape)!` → `globalThis` */
function withoutCasts(node: ts.Expression): ts.Expression {
  const wraps = ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node);
  return wraps ? withoutCasts(node.expression) : node;
}

function declaredName(node: ts.Node): string[] {
  const declares = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node);
  return declares && ts.isIdentifier(node.name) ? [node.name.text] : [];
}
