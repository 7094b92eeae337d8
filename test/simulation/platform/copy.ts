/**
 * Copies of what passes between objects: structured clones, made faster for what nearly all of it is. Guarantees that nothing is shared
 * between sender and receiver, and that what cannot be cloned is refused as by the platform.
 */

/** A structured clone of a value that does not refer to itself. */
export function copyOf<T>(value: T): T;
export function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    return typeof value === "function" || typeof value === "symbol" ? structuredClone(value) : value;
  }
  if (Array.isArray(value)) return value.map((one) => copyOf(one));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    const copy: Record<string, unknown> = {};
    for (const name of Object.keys(value)) copy[name] = copyOf((value as Record<string, unknown>)[name]);
    return copy;
  }
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [copyOf(key), copyOf(one)]));
  if (value instanceof Set) return new Set([...value].map((one) => copyOf(one)));
  return structuredClone(value);
}
