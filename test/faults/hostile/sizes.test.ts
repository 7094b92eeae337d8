/**
 * Row 13 of the fault matrix: replies without bounds. An engine of its own, so that its memory can be watched.
 */
import { expect, it } from "vitest";
import { memoryOf } from "./memory.ts";
import { flooded, SIZES } from "./sizes.ts";
import { splitTest } from "./split.ts";
import { hostileTable } from "./table.ts";

const MIB = 1024 * 1024;

hostileTable("hostile sizes", SIZES, {
  also: (world) => {
    splitTest(world);
    it("row 13: endless replies are cut off, and what the engine holds of all of them together is bounded (EX-18)", () => {
      const { now, peak } = memoryOf(world().engine.pid());
      expect(flooded.replies).toBeGreaterThanOrEqual(8);
      // What was on its way when the engine cut the connection counts too.
      expect(flooded.bytes / flooded.replies).toBeLessThan(48 * MIB);
      expect(peak, `${now} bytes are left`).toBeLessThan(1024 * MIB);
    });
  },
});
