import { describe, expect, it } from "vitest";
import { cronOf, timerPayload } from "../../../../src/decide/schedule/timer-event.ts";

const cron = "TZ=Europe/Paris 0 12 * * *";
const at = Date.parse("2026-11-21T11:00:00Z");

describe("the event of a cron run", () => {
  it("TR-10: names the trigger and the scheduled time", () => {
    expect(timerPayload({ cron, at, fireAt: at })).toEqual({
      name: "inngest/scheduled.timer",
      data: { cron, scheduledAt: "2026-11-21T11:00:00Z", fireAt: "2026-11-21T11:00:00Z" },
      id: "2026-11-21T11:00:00Z",
      ts: at,
      user: {},
    });
  });

  it("TR-15: with jitter, ts stays the tick", () => {
    expect(timerPayload({ cron, at, fireAt: at + 7_040 })).toMatchObject({
      id: "2026-11-21T11:00:00Z",
      ts: at,
      data: { fireAt: "2026-11-21T11:00:07.040Z" },
    });
  });

  it("API-8: the run is shown with its cron, any other one without", () => {
    const payload = timerPayload({ cron, at, fireAt: at });
    expect(cronOf(payload)).toBe(cron);
    expect(cronOf({ ...payload, name: "app/mine" })).toBeNull();
    expect(cronOf({ ...payload, data: { cron: 5 } })).toBeNull();
    expect(cronOf(undefined)).toBeNull();
  });
});
