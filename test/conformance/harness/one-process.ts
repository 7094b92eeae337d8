/**
 * Lets SDK v3 and v4 live in one process, which no app does: both keep their AsyncLocalStorage under one global symbol, v3 as a promise
 * of it, v4 as an object around it. Imported before either; what it puts there is both. Owns nothing else.
 */
import { AsyncLocalStorage } from "node:async_hooks";

const STORAGE = Symbol.for("inngest:als");

// The SDKs keep what they once found there: in a process with several test files it stays what the first one put there.
if (!(STORAGE in globalThis)) {
  const resolved = new AsyncLocalStorage();
  const promise = Promise.resolve(resolved);
  Object.assign(globalThis, { [STORAGE]: Object.assign(promise, { promise, resolved, isFallback: false }) });
}
