import { Cron } from "croner";
import { describe, expect, it } from "vitest";
import { parseCron } from "../../../src/apps/cron.ts";

describe("cron syntax", () => {
  it.each([
    ["* * * * *", "* * * * *", "UTC"],
    ["TZ=Europe/Paris 0 12 * * 5", "0 12 * * 5", "Europe/Paris"],
    ["CRON_TZ=America/New_York 30 2 1 * *", "30 2 1 * *", "America/New_York"],
    ["0 9 * * MON", "0 9 * * MON", "UTC"],
    ["0 9 * jan,Feb mon-FRI", "0 9 * jan,Feb mon-FRI", "UTC"],
    ["? ? ? ? ?", "* * * * *", "UTC"],
    ["0 0 * * 7", "0 0 * * 7", "UTC"],
    ["0 0 * * 5-7", "0 0 * * 5-7", "UTC"],
    ["1,2,10-20 */5 1-15/2 * *", "1,2,10-20 */5 1-15/2 * *", "UTC"],
    ["5/15 * * * *", "5-59/15 * * * *", "UTC"],
    ["  0   0 * * *  ", "0 0 * * *", "UTC"],
    ["@yearly", "0 0 1 1 *", "UTC"],
    ["@annually", "0 0 1 1 *", "UTC"],
    ["@monthly", "0 0 1 * *", "UTC"],
    ["@weekly", "0 0 * * 0", "UTC"],
    ["@daily", "0 0 * * *", "UTC"],
    ["@midnight", "0 0 * * *", "UTC"],
    ["TZ=Asia/Tokyo @hourly", "0 * * * *", "Asia/Tokyo"],
  ])("TR-9: %s is accepted", (text, pattern, timeZone) => {
    expect(parseCron(text)).toEqual({ ok: true, schedule: { pattern, timeZone } });
  });

  it.each([
    ["* * *", "five fields"],
    ["0 * * * * *", "five fields"],
    ["", "five fields"],
    ["TZ=Europe/Paris", "five fields"],
    ["@every 5m", "five fields"],
    ["@reboot", "@hourly"],
    ["@Daily", "@hourly"],
    ["TZ=Mars/Olympus 0 0 * * *", "Mars/Olympus"],
    ["TZ=+02:00 0 0 * * *", "+02:00"],
    ["TZ= 0 0 * * *", "time zone"],
    ["60 * * * *", "60"],
    ["* 24 * * *", "24"],
    ["* * 0 * *", "day"],
    ["* * 32 * *", "32"],
    ["* * * 13 *", "13"],
    ["* * * * 8", "8"],
    ["*/0 * * * *", "0"],
    ["20-10 * * * *", "20-10"],
    ["1,,2 * * * *", "minute"],
    ["MON * * * *", "minute"],
    ["0 0 L * *", "day of month"],
    ["0 0 15W * *", "day of month"],
    ["0 0 * * FRI#2", "day of week"],
    ["0 0 * * MONDAY", "day of week"],
    ["0 0 * * +5", "day of week"],
    ["-1 * * * *", "minute"],
  ])("TR-9: %s is refused", (text, reason) => {
    const parsed = parseCron(text);
    expect(parsed).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  });

  it("TR-9: with both day fields restricted, either may match", () => {
    const parsed = parseCron("0 0 13 * FRI");
    if (!parsed.ok) throw new Error(parsed.reason);
    const { pattern, timeZone } = parsed.schedule;
    const ticks = new Cron(pattern, { timezone: timeZone, paused: true }).nextRuns(3, new Date("2026-11-10T00:00:00Z"));
    expect(ticks.map((tick) => tick.toISOString().slice(0, 10))).toEqual(["2026-11-13", "2026-11-20", "2026-11-27"]);
    const thirteenth = new Cron(pattern, { timezone: timeZone, paused: true }).nextRun(
      new Date("2026-12-12T00:00:00Z"),
    );
    expect(thirteenth?.toISOString().slice(0, 10)).toBe("2026-12-13");
  });

  it("TR-9: 7 is Sunday", () => {
    const parsed = parseCron("0 0 * * 7");
    if (!parsed.ok) throw new Error(parsed.reason);
    const tick = new Cron(parsed.schedule.pattern, { timezone: "UTC", paused: true }).nextRun(
      new Date("2026-11-18T00:00:00Z"),
    );
    expect(tick?.toISOString()).toBe("2026-11-22T00:00:00.000Z");
  });
});
