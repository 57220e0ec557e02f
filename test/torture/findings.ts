/** What was found to be wrong, each thing once, however often it was looked at. */
export const KINDS = ["lost", "doubled", "half", "diverged"] as const;
export type Kind = (typeof KINDS)[number];

export class Findings {
  readonly #told: Readonly<Record<Kind, Set<string>>> = {
    lost: new Set(),
    doubled: new Set(),
    half: new Set(),
    diverged: new Set(),
  };

  tell(kind: Kind, what: string): void {
    this.#told[kind].add(what);
  }

  of(kind: Kind): readonly string[] {
    return [...this.#told[kind]];
  }

  get isClean(): boolean {
    return KINDS.every((kind) => this.#told[kind].size === 0);
  }
}
