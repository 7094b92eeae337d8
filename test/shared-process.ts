/**
 * Makes each test file a fresh start in suites whose files run one after another in the same process, which is much cheaper than a process
 * for each: modules are evaluated anew, so that no file meets the state or the mocks of another. Owns what vitest leaves behind besides:
 * its clock and replaced globals. What node_modules keep is shared; a file that changes the process for good belongs to a suite of its own.
 */
import { afterAll, vi } from "vitest";

vi.resetModules();

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
