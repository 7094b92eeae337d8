/**
 * What runs inside the sandbox around a transform. Owns the script's text; it is evaluated before the transform's source, and keeps the
 * built-in functions it needs to itself, so that a transform that replaces them deceives nobody but itself.
 */

/** The file names that stacks show. */
export const FILES = { prelude: "sandbox.js", transform: "transform.js" } as const;

/**
 * Evaluates to an object of functions. `accept` takes the arguments of the transform as the text of a JSON array. `run` calls the transform
 * with them and gives a promise of the result as JSON, `null` when there is none. `describe` gives name, message and stack of anything thrown
 * as JSON, and never throws anything but for want of memory or time.
 */
export const PRELUDE = `(() => {
  "use strict";
  const { Map, Proxy, TypeError } = globalThis;
  const { parse, stringify } = JSON;
  const { keys } = Object;
  const { deleteProperty, get, getOwnPropertyDescriptor, has, set } = Reflect;
  const uncurry = Function.prototype.bind.bind(Function.prototype.call);
  const slice = uncurry(String.prototype.slice);
  const lower = uncurry(String.prototype.toLowerCase);
  const find = uncurry(Map.prototype.get);
  const add = uncurry(Map.prototype.set);
  const asText = String;
  const LIMIT = 10000;

  const nothing = () => undefined;
  const console = {};
  for (const name of ["debug", "error", "info", "log", "trace", "warn"]) console[name] = nothing;
  Object.defineProperty(globalThis, "console", { value: console, writable: true, enumerable: false, configurable: true });

  const headersOf = (values) => {
    const names = new Map();
    const own = keys(values);
    for (let at = 0; at < own.length; at++) add(names, lower(own[at]), own[at]);
    const nameOf = (key) => (typeof key === "string" ? find(names, lower(key)) ?? key : key);
    return new Proxy(values, {
      get: (target, key) => get(target, nameOf(key)),
      has: (target, key) => has(target, nameOf(key)),
      set: (target, key, value) => set(target, nameOf(key), value),
      deleteProperty: (target, key) => deleteProperty(target, nameOf(key)),
      getOwnPropertyDescriptor: (target, key) => getOwnPropertyDescriptor(target, nameOf(key)),
    });
  };

  let values;
  const accept = (text) => {
    values = parse(text);
    values[1] = headersOf(values[1]);
  };

  const run = async (transform) => {
    const result = await transform(values[0], values[1], values[2], values[3]);
    const json = stringify(result ?? null);
    if (json === undefined) throw new TypeError("The transform returned a " + typeof result + ", not an event.");
    return json;
  };

  const attempt = (read) => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };

  const describe = (thrown) => {
    const isObject = (typeof thrown === "object" && thrown !== null) || typeof thrown === "function";
    const field = (key) => {
      const value = isObject ? attempt(() => thrown[key]) : undefined;
      return typeof value === "string" ? slice(value, 0, LIMIT) : undefined;
    };
    const print = () => (isObject ? attempt(() => stringify(thrown)) : undefined) ?? attempt(() => asText(thrown));
    return stringify({
      __proto__: null,
      name: field("name") ?? "Error",
      message: field("message") ?? slice(print() ?? "", 0, LIMIT),
      stack: field("stack") ?? "",
    });
  };

  return { accept, run, describe };
})()`;
