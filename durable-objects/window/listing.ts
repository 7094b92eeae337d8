/**
 * Telling the function's directory whether a window is open (FC-28). Owns when it is told: in the background, and so rarely that a window
 * which opens and closes all the time says little. What is lost by a crash is made good when the object's alarm comes, or by the reader who
 * finds an entry that is gone.
 */
import type { Bindings } from "../../src/bindings.ts";
import { messageOf } from "../../src/errors.ts";
import type { GatherKind } from "../../src/events/gathering.ts";
import { GATHER } from "../../src/limits.ts";
import { directoryStub } from "../../src/objects.ts";

/** Whose window it is. */
interface Owner {
  readonly environmentId: string;
  readonly functionId: string;
  readonly kind: GatherKind;
  /** Of the window's object. */
  readonly name: string;
}

export class Listing {
  readonly #bindings: Bindings;
  readonly #owner: Owner;
  /** What the directory knows; null: that is not certain. */
  #listed: boolean | null = null;
  /** What it knows is only assumed. */
  #assumed = false;
  /** The open window's; null without one. */
  #key: string | null = null;
  #pending = false;
  /** ms since 1970. */
  #toldAt = 0;

  constructor(bindings: Bindings, owner: Owner) {
    this.#bindings = bindings;
    this.#owner = owner;
  }

  /** The window was opened by an earlier instance, which has told the directory unless it died within moments. */
  assumeListed(): void {
    this.#listed = true;
    this.#assumed = true;
  }

  /** Makes the next {@link set} tell the directory what was only assumed so far. */
  verify(): void {
    if (this.#assumed) this.#listed = null;
    this.#assumed = false;
  }

  /** Notes the key of the window that is open now, or null. */
  set(key: string | null): void {
    this.#key = key;
    if (this.#pending || this.#listed === (key !== null)) return;
    this.#pending = true;
    const wait = Math.min(this.#toldAt + GATHER.listing - Date.now(), GATHER.listing);
    if (wait <= 0) this.#tell();
    else setTimeout(() => this.#tell(), wait);
  }

  #tell(): void {
    this.#toldAt = Date.now();
    this.#report()
      .catch((error: unknown) => console.error(`The directory was not told of a window: ${messageOf(error)}`))
      .finally(() => {
        this.#pending = false;
        // It may have changed meanwhile. What failed is not tried again before the next change.
        if (this.#listed !== null) this.set(this.#key);
      });
  }

  async #report(): Promise<void> {
    const key = this.#key;
    const { environmentId, functionId, kind, name } = this.#owner;
    const directory = directoryStub(this.#bindings, environmentId, functionId);
    this.#listed = null;
    if (key === null) await directory.leave(name, null);
    else await directory.enter({ kind, key, name });
    this.#listed = key !== null;
  }
}
