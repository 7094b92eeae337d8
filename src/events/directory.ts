/**
 * What a function's directory lists: objects of the function that hold something back at the moment. Owns the types that the directory,
 * those it lists and its readers share; holds no behaviour.
 */

/** What an entry is: an open window (FC-28), or a line in which somebody waits. */
export type EntryKind = "debounce" | "batch" | "line";

/** An object that is listed. */
export interface Entry {
  readonly kind: EntryKind;
  /** The key's value. */
  readonly key: string;
  /** The object's own name. */
  readonly name: string;
}

/** An entry as it is stored. */
export interface ListedEntry extends Entry {
  /** ms since 1970, rising with every time the object entered. */
  readonly enteredAt: number;
}

/** A bounded part of a directory. */
export interface EntryList {
  /** Those that entered first come first. */
  readonly entries: readonly ListedEntry[];
  /** There are others besides. */
  readonly more: boolean;
}
