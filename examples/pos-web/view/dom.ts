/** Elements without markup: data becomes text or an attribute's value, never HTML. */

export type Child = Node | string | undefined | false;
type Value = string | number | boolean | undefined | ((event: never) => void);
export type Props = Readonly<Record<string, Value>>;

const FORBIDDEN = new Set(["innerHTML", "outerHTML", "srcdoc", "style"]);

/** `on…` takes a function; `true` is an attribute without a value; `false` and `undefined` leave it out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (FORBIDDEN.has(name)) throw new TypeError(`${name} is markup: make elements, and classes for their looks`);
    if (typeof value === "function") element.addEventListener(name.slice(2), value as (event: Event) => void);
    else setAttribute(element, name, value);
  }
  element.append(...present(children));
  return element;
}

/** Writes only what differs: a screen reader reads a live region again whenever it is written. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value === true ? "" : value)) {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...present(children));
}

function present(children: readonly Child[]): (Node | string)[] {
  return children.filter((child): child is Node | string => child !== undefined && child !== false);
}

/**
 * A list that keeps its elements while their items change: focus, scroll position and a finger on a button are kept,
 * whatever another till changes.
 */
export function keyedList<T>(
  parent: Element,
  options: {
    readonly key: (item: T) => string;
    readonly make: (item: T) => { readonly element: HTMLElement; readonly update: (item: T) => void };
  },
): (items: readonly T[]) => void {
  type Row = ReturnType<typeof options.make>;
  let rows = new Map<string, Row>();
  return (items) => {
    const next = new Map<string, Row>();
    for (const [index, item] of items.entries()) {
      const key = options.key(item);
      const row = rows.get(key) ?? options.make(item);
      row.update(item);
      next.set(key, row);
      const at = parent.children[index];
      if (at !== row.element) parent.insertBefore(row.element, at ?? null);
    }
    for (const [key, row] of rows) if (!next.has(key)) row.element.remove();
    rows = next;
  };
}

/** A page or a panel. `close` removes its listeners. */
export interface View {
  readonly element: HTMLElement;
  close(): void;
}
