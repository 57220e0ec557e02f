/** What the layering rules look at in a source: its imports, and which members of which globals it touches. */
import { posix } from "node:path";
import ts from "typescript";

export interface SourceFile {
  /** From the project's root: "src/shared/errors.ts". */
  readonly path: string;
  readonly imports: readonly Import[];
  /** ["Math", "random"], ["globalThis", "fetch"]: the members taken of names that this file does not declare. */
  readonly globalMembers: readonly (readonly [object: string, member: string])[];
}

export interface Import {
  readonly specifier: string;
  /** The file that a relative specifier names, whether it exists or not. */
  readonly target: string | undefined;
  readonly reExport: boolean;
}

export function readSource(path: string, text: string): SourceFile {
  const imports: Import[] = [];
  const members: [object: string, member: string][] = [];
  const declared = new Set<string>();

  const addImport = (specifier: ts.Node | undefined, reExport: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const target = specifier.text.startsWith(".") ? posix.join(posix.dirname(path), specifier.text) : undefined;
    imports.push({ specifier: specifier.text, target, reExport });
  };
  const addMember = (object: ts.Expression, member: string) => {
    const name = withoutCasts(object);
    if (ts.isIdentifier(name)) members.push([name.text, member]);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) addImport(node.moduleSpecifier, false);
    else if (ts.isExportDeclaration(node)) addImport(node.moduleSpecifier, true);
    else if (ts.isImportTypeNode(node))
      addImport(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, false);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      addImport(node.arguments[0], false);
    else if (ts.isPropertyAccessExpression(node)) addMember(node.expression, node.name.text);
    else if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression))
      addMember(node.expression, node.argumentExpression.text);
    else if (ts.isVariableDeclaration(node) && node.initializer && ts.isObjectBindingPattern(node.name)) {
      for (const { propertyName, name } of node.name.elements)
        addMember(node.initializer, (propertyName ?? name).getText());
    }
    if (
      (ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node)) &&
      ts.isIdentifier(node.name)
    )
      declared.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true));

  return { path, imports, globalMembers: members.filter(([object]) => !declared.has(object)) };
}

/** `(globalThis as Shape)!` → `globalThis` */
function withoutCasts(node: ts.Expression): ts.Expression {
  const wrapped =
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isSatisfiesExpression(node);
  return wrapped ? withoutCasts(node.expression) : node;
}
