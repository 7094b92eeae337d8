/**
 * Lets SDK v3 and v4 live in one process, which no app does: both keep their AsyncLocalStorage under one global symbol, v3 as a promise
 * of it, v4 as an object around it. Imported before either; what it puts there is both. Owns nothing else.
 */
import { AsyncLocalStorage } from "node:async_hooks";

const resolved = new AsyncLocalStorage();
const promise = Promise.resolve(resolved);

Object.assign(globalThis, {
  [Symbol.for("inngest:als")]: Object.assign(promise, { promise, resolved, isFallback: false }),
});
