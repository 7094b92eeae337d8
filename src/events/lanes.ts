/**
 * Taking turns: work that shares a lane is done one after the other, in the order in which it got in line (FC-8). Owns nothing else.
 */

/** A place in some lanes. */
export interface Turn {
  /** Resolves when everybody before it in its lanes is done; never rejects. */
  readonly come: Promise<unknown>;
  /** Lets those behind go on. Whoever got in line must call it, however its work ended; calling it again does nothing. */
  done(): void;
}

export class Lanes {
  /** The newest turn of each lane. */
  readonly #last = new Map<string, Promise<void>>();

  /** Gets in line. Work in several lanes waits only for work that got in line before it, so that no two can wait for each other. */
  enter(names: readonly string[]): Turn {
    const come = Promise.all(names.flatMap((name) => this.#last.get(name) ?? []));
    let done = () => {};
    const turn = new Promise<void>((resolve) => {
      done = resolve;
    });
    for (const name of names) this.#last.set(name, turn);
    return { come, done };
  }
}
