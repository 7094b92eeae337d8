import { describe, expect, it } from "vitest";
import { type Cron, parseCron } from "../../../../src/decide/schedule/cron.ts";

/** The values between two, both included, every `step`. */
const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, at) => from + at * step);

function accepted(text: string): Cron {
  const parsed = parseCron(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.cron;
}

/** The values of all fields, in their order. */
function fields(text: string): number[][] {
  const { minutes, hours, days, months, weekdays } = accepted(text);
  return [[...minutes], [...hours], ...[days, months, weekdays].map((set) => [...set].sort((a, b) => a - b))];
}

const [DAYS, MONTHS, WEEKDAYS] = [range(1, 31), range(1, 12), range(0, 6)];

describe("cron syntax", () => {
  it.each([
    ["* * * * *", [range(0, 59), range(0, 23), DAYS, MONTHS, WEEKDAYS]],
    ["? ? ? ? ?", [range(0, 59), range(0, 23), DAYS, MONTHS, WEEKDAYS]],
    ["0 9 * * MON", [[0], [9], DAYS, MONTHS, [1]]],
    ["0 9 * jan,Feb mon-FRI", [[0], [9], DAYS, [1, 2], range(1, 5)]],
    ["0 0 * * 7", [[0], [0], DAYS, MONTHS, [0]]],
    ["0 0 * * 5-7", [[0], [0], DAYS, MONTHS, [0, 5, 6]]],
    ["0 0 * * 0-7", [[0], [0], DAYS, MONTHS, WEEKDAYS]],
    ["1,2,10-20 */5 1-15/2 DEC 6,SUN", [[1, 2, ...range(10, 20)], range(0, 23, 5), range(1, 15, 2), [12], [0, 6]]],
    ["5/15 22/1 * * *", [range(5, 59, 15), [22, 23], DAYS, MONTHS, WEEKDAYS]],
    ["30,5,30 0 1 1 1/2", [[5, 30], [0], [1], [1], [1, 3, 5]]],
    ["  0   0 * * *  ", [[0], [0], DAYS, MONTHS, WEEKDAYS]],
    ["@yearly", [[0], [0], [1], [1], WEEKDAYS]],
    ["@annually", [[0], [0], [1], [1], WEEKDAYS]],
    ["@monthly", [[0], [0], [1], MONTHS, WEEKDAYS]],
    ["@weekly", [[0], [0], DAYS, MONTHS, [0]]],
    ["@daily", [[0], [0], DAYS, MONTHS, WEEKDAYS]],
    ["@midnight", [[0], [0], DAYS, MONTHS, WEEKDAYS]],
    ["TZ=Asia/Tokyo @hourly", [[0], range(0, 23), DAYS, MONTHS, WEEKDAYS]],
  ])("TR-9: %s is accepted", (text, expected) => {
    expect(fields(text)).toEqual(expected);
  });

  it.each([
    ["0 12 * * 5", "UTC"],
    ["TZ=Europe/Paris 0 12 * * 5", "Europe/Paris"],
    ["CRON_TZ=America/New_York 30 2 1 * *", "America/New_York"],
    ["TZ=UTC @daily", "UTC"],
  ])("TR-9: the zone of %s is %s", (text, timeZone) => {
    expect(accepted(text).timeZone).toBe(timeZone);
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
    ["60 * * * *", 'minute (0 to 59): "60"'],
    ["* 24 * * *", 'hour (0 to 23): "24"'],
    ["* * 0 * *", "day of month"],
    ["* * 32 * *", "32"],
    ["* * * 13 *", "month"],
    ["* * * * 8", "day of week"],
    ["*/0 * * * *", "*/0"],
    ["*/61 * * * *", "*/61"],
    ["0 0 * * */8", "*/8"],
    ["20-10 * * * *", "20-10"],
    ["0 0 * * FRI-SUN", "FRI-SUN"],
    ["1,,2 * * * *", "minute"],
    ["MON * * * *", "minute"],
    ["0 0 L * *", "day of month"],
    ["0 0 15W * *", "day of month"],
    ["0 0 * * FRI#2", "day of week"],
    ["0 0 * * MONDAY", "day of week"],
    ["0 0 * * +5", "day of week"],
    ["-1 * * * *", "minute"],
    ["*-5 * * * *", "minute"],
    ["1.5 * * * *", "minute"],
  ])("TR-9: %s is refused", (text, reason) => {
    expect(parseCron(text)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  });

  it.each([
    ["0 0 13 * FRI", true],
    ["0 0 */2 * 1", true],
    ["0 0 1-31 * 1", true],
    ["0 0 * * 1", false],
    ["0 0 13 * ?", false],
    ["0 0 */1 * 1", false],
    ["0 0 13,* * 1", false],
    ["@monthly", false],
  ])("TR-9: whether one day field is enough for %s: %s", (text, eitherDay) => {
    expect(accepted(text)).toMatchObject({ eitherDay });
  });

  it.each([
    ["30 * * * *", true],
    ["30 ? * * *", true],
    ["30 */2 * * *", true],
    ["30 1,2-10/2 * * *", true],
    ["@hourly", true],
    ["*/5 2 * * *", false],
    ["30 0-23 * * *", false],
    ["30 1,2 * * *", false],
    ["@daily", false],
  ])("TR-11: whether %s fires in both hours of a repeated one: %s", (text, repeats) => {
    expect(accepted(text)).toMatchObject({ repeats });
  });
});
