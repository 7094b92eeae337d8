import { expect, it } from "vitest";
import { Strangers } from "../../../src/keys/strangers.ts";
import { KEY } from "../../../src/limits.ts";

const NOW = Date.UTC(2026, 10, 21);

it("SE-18: so many unknown keys are looked up in a second, and as many in the next one", () => {
  const strangers = new Strangers();
  for (let n = 0; n < KEY.strangers; n++) {
    strangers.check(NOW + n);
    strangers.note(NOW + n);
  }
  expect(() => strangers.check(NOW + 999)).toThrow("come again in a second");
  expect(() => strangers.check(NOW + 1000)).not.toThrow();
  strangers.note(NOW + 1000);
  expect(() => strangers.check(NOW + 1001)).not.toThrow();
});

it("SE-18: a clock that goes back shuts nobody out", () => {
  const strangers = new Strangers();
  for (let n = 0; n < KEY.strangers; n++) strangers.note(NOW);
  expect(() => strangers.check(NOW - 60_000)).not.toThrow();
});
