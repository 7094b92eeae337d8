/**
 * Telling the directories of functions that their runs wait in this line, so that a changed limit reaches it (FC-11) and people can find it
 * (BY-11). Owns when they are told: in the background, when somebody has waited for some time, and again when nobody has for long.
 * Guarantees that a line which believes it is listed is listed: what a crash leaves behind is an entry too many, which its reader removes.
 */
import { currentCatalog } from "../../src/apps/catalog.ts";
import { limitOn, noLimit } from "../../src/apps/line-limit.ts";
import type { Bindings } from "../../src/bindings.ts";
import type { LineLimit, LineRef } from "../../src/decide/capacity/line.ts";
import { messageOf } from "../../src/errors.ts";
import { inParallel } from "../../src/events/parallel.ts";
import { CAPACITY } from "../../src/limits.ts";
import { directoryStub } from "../../src/objects.ts";
import { settingsOf } from "../../src/settings.ts";

/** Function ids, each with the id of its environment. */
type Functions = ReadonlyMap<string, string>;

/** What the listing needs of its line. */
export interface ListedLine {
  /** The object's own name. */
  readonly name: string;
  /** What the line is; null before it knows. */
  ref(): LineRef | null;
  /** A function's limit is known to be this one. */
  relimit(functionId: string, limit: LineLimit): void;
  /** Functions whose runs wait. */
  waiting(): Functions;
  /** Functions whose directory lists the line, as it is stored. */
  listed(): Functions;
  /** Stores that it is listed with these and no others. */
  save(listed: Functions): void;
}

export class Listing {
  readonly #bindings: Bindings;
  readonly #line: ListedLine;
  #timer = false;
  /** The last change: they happen one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(bindings: Bindings, line: ListedLine) {
    this.#bindings = bindings;
    this.#line = line;
  }

  /** Sees to it that those who wait are listed, if they still wait after a while. */
  review(): void {
    if (this.#timer || this.#unlisted().length === 0) return;
    this.#timer = true;
    setTimeout(() => {
      this.#timer = false;
      this.#inTurn(() => this.#enter()).catch((error: unknown) => {
        console.error(`A line was not listed: ${messageOf(error)}`);
      });
    }, CAPACITY.listing);
  }

  /** Nobody waits any more: no directory lists the line from now on. */
  leave(): Promise<void> {
    const { name } = this.#line;
    const listed = [...this.#line.listed()];
    if (listed.length === 0) return Promise.resolve();
    // First: what is not known to be listed is listed again when it must be.
    this.#line.save(new Map());
    return this.#inTurn(async () => {
      await inParallel(CAPACITY.parallel, listed, async ([functionId, environmentId]) => {
        await directoryStub(this.#bindings, environmentId, functionId).leave(name, null);
      });
    });
  }

  async #enter(): Promise<void> {
    const { name } = this.#line;
    const entered = this.#unlisted();
    const ref = this.#line.ref();
    if (entered.length === 0 || ref === null) return;
    await inParallel(CAPACITY.parallel, entered, async ([functionId, environmentId]) => {
      await directoryStub(this.#bindings, environmentId, functionId).enter({ kind: "line", key: ref.key, name });
    });
    this.#line.save(new Map([...this.#line.listed(), ...entered]));
    await inParallel(CAPACITY.parallel, entered, (one) => this.#relimit(ref, one));
  }

  /** A sync that came while somebody waited already, but before the line was listed, has not found it. */
  async #relimit(ref: LineRef, [functionId, environmentId]: [string, string]): Promise<void> {
    const catalog = await currentCatalog(this.#bindings, environmentId, Date.now());
    const registered = catalog.functionById(functionId);
    if (registered === null) return;
    const { maxConcurrency } = settingsOf(this.#bindings);
    this.#line.relimit(functionId, limitOn(ref, registered, maxConcurrency) ?? noLimit(registered.version));
  }

  #unlisted(): [string, string][] {
    const listed = this.#line.listed();
    return [...this.#line.waiting()].filter(([functionId]) => !listed.has(functionId));
  }

  async #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(change);
    this.#turn = turn.catch(() => undefined);
    await turn;
  }
}
