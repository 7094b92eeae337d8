/**
 * The one alarm of an object (faults.md §2): called at least once, perhaps late, again when its handler failed, and given up without a word
 * after six repetitions. Owns when the handler is called; what it does is the object's.
 */
import type { Platform } from "./host.ts";

/** What an alarm needs of its object. */
interface AlarmOwner {
  /** ms by which the object's clock is wrong. */
  skew(): number;
  /** Calls the handler; `ended` is told how it went, with null when it succeeded, and never when the object was reset meanwhile. */
  handle(ended: (error: unknown) => void): void;
}

/** ms until the first repetition of a handler that failed; doubles with each, of which there are so many. */
const REPEATED = { after: 2000, most: 6 };
/** ms that an alarm is late at most, and how soon at the earliest it comes. */
const LATE = 60_000;
const SOON = 1;

type Platformed = Pick<Platform, "agenda" | "mishaps" | "faults" | "noted">;

export class Alarm {
  readonly #platform: Platformed;
  readonly #title: string;
  readonly #owner: AlarmOwner;
  #at: number | null = null;
  /** The alarm whose handler is running: it counts until the handler has ended. */
  #firing: { readonly at: number } | null = null;
  #failures = 0;

  constructor(platform: Platformed, title: string, owner: AlarmOwner) {
    this.#platform = platform;
    this.#title = title;
    this.#owner = owner;
  }

  /** What `getAlarm` answers: null while the handler runs, unless it has set another. */
  get at(): number | null {
    return this.#at;
  }

  set(at: number | null): void {
    this.#at = at;
    this.#failures = 0;
    if (this.#firing === null) this.schedule();
  }

  /** The instance is gone whose handler was running, perhaps: then it is called again. */
  interrupted(): void {
    this.killed();
    this.schedule();
  }

  /** The process is gone. Its successor calls {@link schedule}. */
  killed(): void {
    if (this.#firing !== null) this.#at ??= this.#firing.at;
    this.#firing = null;
  }

  /** Makes sure that the handler will be called. */
  schedule(): void {
    const at = this.#at;
    if (at === null) return;
    const { agenda, mishaps, faults } = this.#platform;
    const early = at - agenda.now - this.#owner.skew();
    const isLate = mishaps.happens(faults.alarms?.late, "alarm late", () => this.#title);
    const delay = Math.max(early, SOON) + (isLate ? mishaps.between(0, LATE) : 0);
    // The platform's own doing: no output gate, and no instance's end, keeps it back.
    agenda.as(null, () => agenda.after(delay, () => this.#fire(at), null));
  }

  #fire(at: number): void {
    if (this.#at !== at || this.#firing !== null) return;
    this.#at = null;
    const { mishaps, faults } = this.#platform;
    if (mishaps.happens(faults.alarms?.dropped, "alarm dropped", () => this.#title)) return;
    const firing = { at };
    this.#firing = firing;
    this.#owner.handle((error) => {
      if (this.#firing !== firing) return;
      this.#firing = null;
      if (error !== null) this.#failed(error);
      else if (mishaps.happens(faults.alarms?.doubled, "alarm doubled", () => this.#title)) {
        this.#at ??= at;
      }
      this.schedule();
    });
  }

  #failed(error: unknown): void {
    const { agenda, noted } = this.#platform;
    noted(`alarm of ${this.#title}: ${String(error)}`);
    if (++this.#failures <= REPEATED.most) this.#at ??= agenda.now + REPEATED.after * 2 ** (this.#failures - 1);
  }
}
