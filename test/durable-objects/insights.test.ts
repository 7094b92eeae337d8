import { beforeAll, describe, expect, it } from "vitest";
import { storeEvents } from "../../src/history/events.ts";
import { runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { encodeUlid } from "../../src/ids.ts";
import { ask } from "../../src/insights/query.ts";
import type { Json, JsonObject } from "../../src/json.ts";
import { INSIGHTS } from "../../src/limits.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";

const db = bindings.DB;
/** 2025-01-15T12:34:56Z, a Wednesday. */
const NOW = Date.UTC(2025, 0, 15, 12, 34, 56);
const HOUR = 60 * 60 * 1000;

/** The rows of an answer. */
async function rows(environmentId: string, sql: string): Promise<readonly (readonly Json[])[]> {
  return (await ask(db, environmentId, sql, NOW)).rows;
}

/** An environment with one event for each of the data, named in turn as given. */
async function environmentOf(data: readonly JsonObject[], name: (i: number) => string = () => "order.created") {
  const environmentId = freshEnvironment();
  const events = data.map((one, i) =>
    anEvent({
      internalId: encodeUlid(NOW + i, new Uint8Array(10)),
      receivedAt: NOW + i,
      payload: { name: name(i), data: one, ts: NOW - i * HOUR },
    }),
  );
  await storeEvents(db, environmentId, events, { routed: true });
  return environmentId;
}

beforeAll(() => ensureSchema(db));

describe("questions", () => {
  it("SC-146: events are counted by a field of theirs, most first", async () => {
    const data = Array.from({ length: 12 }, (_, i) => ({ user_id: i % 3 === 0 ? "u1" : "u2" }));
    const environmentId = await environmentOf(data);
    const sql =
      "SELECT simpleJSONExtractString(data, 'user_id') AS user_id, count(*) FROM events WHERE name = 'order.created' GROUP BY user_id ORDER BY count(*) DESC LIMIT 10";
    const answer = await ask(db, environmentId, sql, NOW);
    expect(answer.columns).toEqual([
      { name: "user_id", type: "text" },
      { name: "count(*)", type: "number" },
    ]);
    expect(answer.rows).toEqual([
      ["u2", 8],
      ["u1", 4],
    ]);
    expect(answer).toMatchObject({ truncated: false, partial: [] });
  });

  it("OB-20: failed runs of a function in the last hour, as their events tell", async () => {
    const environmentId = await environmentOf(
      [{ function_id: "my-app-report" }, { function_id: "my-app-report" }, { function_id: "other" }],
      () => "inngest/function.failed",
    );
    const sql = `SELECT count(*) FROM events WHERE name = 'inngest/function.failed'
      AND simpleJSONExtractString(data, 'function_id') = 'my-app-report' AND ts > toUnixTimestamp(addHours(now(), -1)) * 1000`;
    expect(await rows(environmentId, sql)).toEqual([[1]]);
  });

  it("API-35: of 2,500 events 1,000 come, newest first when asked so, and the answer says that there are more", async () => {
    const environmentId = await environmentOf(Array.from({ length: 2500 }, (_, n) => ({ n })));
    const answer = await ask(db, environmentId, "SELECT id FROM events", NOW);
    expect(answer.rows).toHaveLength(1000);
    expect(answer.truncated).toBe(true);
    const whole = await ask(db, environmentId, "SELECT id FROM events LIMIT 1000", NOW);
    expect(whole).toMatchObject({ truncated: false });
    expect(whole.rows).toHaveLength(1000);
    const newest = await rows(
      environmentId,
      "SELECT JSONExtractInt(data, 'n') AS n FROM events ORDER BY n DESC LIMIT 2 OFFSET 1",
    );
    expect(newest).toEqual([[2498], [2497]]);
  });

  it("OB-20: large rows are cut by their bytes, and the answer says so", async () => {
    const environmentId = await environmentOf(Array.from({ length: 12 }, () => ({ blob: "x".repeat(1_000_000) })));
    const answer = await ask(db, environmentId, "SELECT data FROM events", NOW);
    expect(answer.rows.length).toBeGreaterThan(2);
    expect(answer.rows.length).toBeLessThan(10);
    expect(answer.truncated).toBe(true);
  });

  it("OB-20: runs are a table as well, and other environments' rows do not exist", async () => {
    const environmentId = freshEnvironment();
    const runs = [
      aRun(environmentId, { status: "failed", queuedAt: 5, startedAt: 7, endedAt: 9, output: { name: "E" } }),
      aRun(environmentId, { status: "queued", startedAt: null, endedAt: null, output: null }),
      aRun(freshEnvironment()),
    ];
    await db.batch(runStatements(db, runs));
    expect(
      await rows(
        environmentId,
        "SELECT function, status, ended_at - queued_at, output, event_name FROM runs WHERE status = 'Failed'",
      ),
    ).toEqual([["shop-pay", "Failed", 4, { name: "E" }, "cart/done"]]);
    expect(await rows(environmentId, "SELECT status, isNull(started_at) FROM runs ORDER BY status")).toEqual([
      ["Failed", 0],
      ["Scheduled", 1],
    ]);
    expect(await rows(freshEnvironment(), "SELECT count() FROM runs")).toEqual([[0]]);
    expect(
      await rows(freshEnvironment(), "SELECT count(*) FROM (SELECT id FROM events WHERE 1 OR 1) WHERE 1 OR 1"),
    ).toEqual([[0]]);
  });

  it("OB-21: sub-queries, CASE, IN, BETWEEN, LIKE, ILIKE, HAVING, aliases and places", async () => {
    const environmentId = await environmentOf(
      Array.from({ length: 10 }, (_, n) => ({ n, kind: n % 2 === 0 ? "Even" : "odd_1" })),
    );
    const ask1 = (sql: string) => rows(environmentId, sql);
    expect(
      await ask1(
        "SELECT kind, total FROM (SELECT JSONExtractString(data, 'kind') AS kind, sum(JSONExtractInt(data, 'n')) AS total FROM events GROUP BY kind) x WHERE x.total > 20 ORDER BY 2",
      ),
    ).toEqual([["odd_1", 25]]);
    expect(
      await ask1(
        "SELECT CASE WHEN JSONExtractInt(data, 'n') < 3 THEN 'few' ELSE 'many' END AS size, count(*) AS c FROM events GROUP BY size HAVING c > 3 ORDER BY c DESC",
      ),
    ).toEqual([["many", 7]]);
    const counts: [string, number][] = [
      ["JSONExtractInt(data, 'n') IN (1, 2, 30)", 2],
      ["JSONExtractInt(data, 'n') NOT IN (1, 2, 30)", 8],
      ["JSONExtractInt(data, 'n') BETWEEN 2 AND 4", 3],
      ["JSONExtractInt(data, 'n') NOT BETWEEN 2 AND 4", 7],
      ["JSONExtractString(data, 'kind') LIKE 'Ev%'", 5],
      ["JSONExtractString(data, 'kind') LIKE 'ev%'", 0],
      ["JSONExtractString(data, 'kind') ILIKE '%EV%'", 5],
      ["JSONExtractString(data, 'kind') LIKE '%d\\_1'", 5],
      ["JSONExtractString(data, 'kind') LIKE 'o_d%'", 5],
      ["JSONExtractString(data, 'kind') NOT ILIKE 'e_e_'", 5],
      ["JSONExtractString(data, 'kind') LIKE '%'", 10],
      ["id IN (SELECT id FROM events WHERE JSONExtractInt(data, 'n') = 7)", 1],
      ["JSONExtractInt(data, 'n') = (SELECT max(JSONExtractInt(data, 'n')) FROM events)", 1],
      ["NOT (JSONExtractInt(data, 'n') > 3) AND name IS NOT NULL OR 0", 4],
      [`ts = '${NOW}'`, 1],
      ["v IS NULL", 0],
      ["events.name = 'order.created'", 10],
    ];
    for (const [condition, expected] of counts) {
      expect(await ask1(`SELECT count(*) FROM events WHERE ${condition}`), condition).toEqual([[expected]]);
    }
    expect(await ask1("SELECT DISTINCT JSONExtractString(data, 'kind') AS k FROM events ORDER BY k")).toEqual([
      ["Even"],
      ["odd_1"],
    ]);
    expect(await ask1("SELECT 1 + 2 * 3, 7 / 2, 7 % 4, -(2), 'it''s' || '\\'', 1 = 1, NULL")).toEqual([
      [7, 3.5, 3, -2, "it's'", 1, null],
    ]);
  });

  it.each<[string, Json]>([
    ["count(*)", 5],
    ["count(n)", 4],
    ["count(DISTINCT n)", 3],
    ["countIf(n > 1)", 2],
    ["sum(n)", 10],
    ["sumIf(n, n > 2)", 8],
    ["avg(n)", 2.5],
    ["min(n)", 1],
    ["max(n)", 4],
    ["median(n)", 2.5],
    ["quantile(0.25)(n)", 1],
    ["quantile(0.9)(n)", 4],
    ["uniq(n)", 3],
    ["ARRAY_AGG(JSONExtractString(data, 's'))", ["a", "b", "c", "d", "e"]],
    ["STDDEV_POP(n)", Math.sqrt(2.25)],
    ["STDDEV_SAMP(n)", Math.sqrt(3)],
    ["VAR_POP(n)", 2.25],
    ["VAR_SAMP(n)", 3],
  ])("OB-21: the aggregate %s", async (expression, expected) => {
    // 1, 1, 4, 4 and one without a number: quantiles lie between.
    const environmentId = await environmentOf([
      { n: 1, s: "a" },
      { n: 4, s: "b" },
      { s: "c" },
      { n: 1, s: "d" },
      { n: 4, s: "e" },
    ]);
    const n = "if(JSONHas(data, 'n'), JSONExtractInt(data, 'n'), NULL) AS n";
    const distinct = expression === "count(DISTINCT n)" || expression === "uniq(n)" ? 2 : expected;
    const [[found] = []] = await rows(
      environmentId,
      `SELECT ${expression} FROM (SELECT ${n}, data, id FROM events ORDER BY id)`,
    );
    if (typeof distinct === "number") expect(found).toBeCloseTo(distinct, 9);
    else expect(found).toEqual(distinct);
  });

  it("OB-21: aggregates by group, several of them together, beside a condition", async () => {
    const environmentId = await environmentOf(
      Array.from({ length: 30 }, (_, n) => ({ n, g: n % 3 === 0 ? "a" : "b" })),
    );
    const sql = `SELECT JSONExtractString(data, 'g') AS g, median(JSONExtractInt(data, 'n')) AS m, quantile(0.5)(JSONExtractInt(data, 'n')), count(*) AS c,
      round(STDDEV_POP(JSONExtractInt(data, 'n')), 6) FROM events WHERE JSONExtractInt(data, 'n') >= 15 GROUP BY g HAVING m > 0 ORDER BY g`;
    expect(await rows(environmentId, sql)).toEqual([
      ["a", 21, 21, 5, 4.242641],
      ["b", 22.5, 22.5, 10, 4.272002],
    ]);
  });

  it.each<[string, Json]>([
    ["simpleJSONExtractString(data, 's')", "text"],
    ["simpleJSONExtractString(data, 'n')", ""],
    ["simpleJSONExtractString(data, 'none')", ""],
    ["simpleJSONExtractInt(data, 'n')", 7],
    ["simpleJSONExtractInt(data, 's')", 0],
    ["simpleJSONExtractUInt(data, 'minus')", 0],
    ["simpleJSONExtractFloat(data, 'f')", 1.5],
    ["simpleJSONExtractBool(data, 'yes')", 1],
    ["simpleJSONExtractBool(data, 'n')", 0],
    ["simpleJSONExtractRaw(data, 'list')", '[1,2,{"a":"b"}]'],
    ["simpleJSONHas(data, 'nil')", 1],
    ["simpleJSONHas(data, 'none')", 0],
    ["simpleJSONHas('no json', 'none')", 0],
    ["JSONExtractString(data, 'deep', 'a')", "x"],
    ["JSONExtractString(data, 'list', 3, 'a')", "b"],
    ["JSONExtractInt(data, 'list', -2)", 2],
    ["JSONExtractFloat(data, 'n')", 7],
    ["JSONExtractBool(data, 'yes')", 1],
    ["JSONExtractRaw(data, 'deep')", '{"a":"x"}'],
    ["JSONExtractString(JSONExtractRaw(data, 'deep'), 'a')", "x"],
    ["JSONHas(data, 'deep', 'b')", 0],
    ["JSONLength(data, 'list')", 3],
    ["JSONLength(data, 'deep')", 1],
    ["JSONLength(data, 's')", 0],
    ["lower('ÄAbC')", "Äabc"],
    ["upper('abC')", "ABC"],
    ["length('é')", 2],
    ["concat('a', 1, 'b')", "a1b"],
    ["substring('hello', 2, 3)", "ell"],
    ["replaceOne('aXbX', 'X', '-')", "a-bX"],
    ["replaceOne('ab', 'X', '-')", "ab"],
    ["replaceAll('aXbX', 'X', '-')", "a-b-"],
    ["trim('  a ')", "a"],
    ["position('hello', 'l')", 3],
    ["positionCaseInsensitive('hello', 'L')", 3],
    ["startsWith('hello', 'he')", 1],
    ["startsWith('hello', '')", 1],
    ["endsWith('hello', 'lo')", 1],
    ["endsWith('lo', 'hello')", 0],
    ["splitByChar(',', 'a,b\",c')", ["a", 'b"', "c"]],
    ["length(splitByChar('/', 'a/b/c'))", 3],
    ["match('order-123', '^order-\\\\d+$')", 1],
    ["match('order-x', '^order-\\\\d+$')", 0],
    ["now()", "2025-01-15 12:34:56"],
    ["today()", "2025-01-15"],
    ["toDateTime(0)", "1970-01-01 00:00:00"],
    ["toDateTime('2025-01-02 03:04:05')", "2025-01-02 03:04:05"],
    ["toDate('2025-01-02 03:04:05')", "2025-01-02"],
    ["fromUnixTimestamp(86400)", "1970-01-02 00:00:00"],
    ["fromUnixTimestamp64Milli(1736944496789)", "2025-01-15 12:34:56.789"],
    ["toUnixTimestamp(now())", NOW / 1000],
    ["toStartOfMinute(now())", "2025-01-15 12:34:00"],
    ["toStartOfHour(now())", "2025-01-15 12:00:00"],
    ["toStartOfDay(now())", "2025-01-15 00:00:00"],
    ["toStartOfWeek(now())", "2025-01-12"],
    ["toStartOfMonth(now())", "2025-01-01"],
    ["addMinutes(now(), 30)", "2025-01-15 13:04:56"],
    ["addHours(now(), -1)", "2025-01-15 11:34:56"],
    ["addDays(today(), 20)", "2025-02-04"],
    ["addWeeks(now(), 1)", "2025-01-22 12:34:56"],
    ["addMonths(toDate('2025-01-31'), 1)", "2025-02-28"],
    ["subtractMinutes(now(), 35)", "2025-01-15 11:59:56"],
    ["subtractHours(now(), 13)", "2025-01-14 23:34:56"],
    ["subtractDays(now(), 15)", "2024-12-31 12:34:56"],
    ["subtractWeeks(today(), 1)", "2025-01-08"],
    ["subtractMonths(now(), 1)", "2024-12-15 12:34:56"],
    ["dateDiff('hour', toDateTime('2025-01-01 00:59:59'), toDateTime('2025-01-01 01:00:00'))", 1],
    ["dateDiff('day', toDate('2025-01-01'), now())", 14],
    ["dateDiff('week', toDate('2025-01-12'), toDate('2025-01-13'))", 1],
    ["dateDiff('month', toDate('2024-12-31'), toDate('2025-01-01'))", 1],
    ["formatDateTime(now(), '%Y/%m/%d %H:%i:%S %F %T %% ok')", "2025/01/15 12:34:56 2025-01-15 12:34:56 % ok"],
    ["now() - 56", "2025-01-15 12:34:00"],
    ["now() > '2025-01-15'", 1],
    ["today() = '2025-01-15'", 1],
    ["if(1 > 2, 'a', 'b')", "b"],
    ["multiIf(0, 'a', 1, 'b', 'c')", "b"],
    ["and(1, 1, 0)", 0],
    ["or(0, 1)", 1],
    ["xor(1, 1)", 0],
    ["xor(2, 0)", 1],
    ["ifNull(NULL, 5)", 5],
    ["coalesce(NULL, NULL, 'x')", "x"],
    ["nullIf('a', 'a')", null],
    ["isNull(NULL)", 1],
    ["isNotNull(NULL)", 0],
    ["assumeNotNull(4)", 4],
    ["round(1.256, 2)", 1.26],
    ["floor(-1.5)", -2],
    ["ceil(1.2)", 2],
    ["trunc(-1.7)", -1],
    ["abs(-3)", 3],
    ["toString(1.0)", "1"],
    ["toString(1.5)", "1.5"],
    ["toInt64('12')", 12],
    ["toInt64(3.9)", 3],
    ["toInt64OrZero('x1')", 0],
    ["toInt64OrNull('x1')", null],
    ["toInt64OrNull('-7')", -7],
    ["toFloat64('1.5')", 1.5],
    ["toFloat64OrZero('a')", 0],
    ["toFloat64OrNull('1e3')", 1000],
    ["ULIDStringToDateTime('01JHMZ2Z50000000000000000')", "2025-01-15 12:34:56.800"],
  ])("OB-21: %s is %j", async (expression, expected) => {
    const environmentId = await environmentOf([
      { s: "text", n: 7, minus: -7, f: 1.5, yes: true, nil: null, list: [1, 2, { a: "b" }], deep: { a: "x" } },
    ]);
    const ulid = expression.replace("01JHMZ2Z50000000000000000", encodeUlid(NOW + 800, new Uint8Array(10)));
    expect((await rows(environmentId, `SELECT ${ulid} FROM events`))[0]).toEqual([expected]);
  });

  it("OB-21: a regular expression chooses rows, beside other conditions and behind an alias", async () => {
    const environmentId = await environmentOf(
      Array.from({ length: 20 }, (_, n) => ({ path: n % 2 === 0 ? `/users/${n}` : "/health" })),
    );
    const sql = (condition: string) =>
      `SELECT JSONExtractString(data, 'path') AS path, count(*) FROM events WHERE name LIKE 'order%' AND ${condition} GROUP BY path ORDER BY path LIMIT 2`;
    expect(await rows(environmentId, sql("match(path, '^/users/1')"))).toEqual([
      ["/users/10", 1],
      ["/users/12", 1],
    ]);
    expect(await rows(environmentId, sql("NOT match(path, 'users')"))).toEqual([["/health", 10]]);
  });
});

describe("what is refused", () => {
  it.each<[string, string]>([
    ["WITH x AS (SELECT 1) SELECT * FROM x", "WITH is not supported"],
    ["DELETE FROM events", "DELETE is not supported"],
    ["INSERT INTO events VALUES (1)", "INSERT is not supported"],
    ["UPDATE events SET name = 'x'", "UPDATE is not supported"],
    ["DROP TABLE events", "DROP is not supported"],
    ["PRAGMA table_info(events)", "PRAGMA is not supported"],
    ["ATTACH 'x' AS y", "ATTACH is not supported"],
    ["EXPLAIN SELECT 1", "EXPLAIN is not supported"],
    ["SELECT * FROM events JOIN runs ON 1", "JOIN is not supported (line 1, column 22)"],
    ["SELECT * FROM events, runs", '","'],
    ["SELECT 1 UNION ALL SELECT 2", "UNION is not supported"],
    ["SELECT 1; SELECT 2", "one SELECT"],
    ["SELECT 1; DROP TABLE events", "one SELECT"],
    ["SELECT * FROM sqlite_master", 'no table "sqlite_master"'],
    ["SELECT * FROM apps", 'no table "apps"'],
    ["SELECT * FROM pragma_table_info('events')", "called like a function"],
    ["SELECT * FROM main.events", "other databases"],
    ["SELECT environment_id FROM events", 'no column "environment_id"'],
    ["SELECT payload FROM events", 'no column "payload"'],
    ["SELECT stored.payload FROM events", '"stored" is not what is asked of'],
    ["SELECT rowid FROM runs", 'no column "rowid"'],
    ["SELECT load_extension('x')", "load_extension is not supported"],
    ["SELECT randomblob(1000000000)", "randomblob is not supported"],
    ["SELECT json_each(data) FROM events", "json_each is not supported"],
    ["SELECT row_number() OVER () FROM events", "OVER is not supported"],
    ["SELECT count(*) OVER () FROM events", "OVER is not supported"],
    ["SELECT CAST(id AS INT) FROM events", "CAST is not supported"],
    ["SELECT id::String FROM events", '"::"'],
    ["SELECT now() - INTERVAL 1 DAY", "INTERVAL is not supported"],
    ["SELECT [1, 2]", '"["'],
    ["SELECT ?1", '"?"'],
    ["SELECT $1", '"$"'],
    ["SELECT @x", '"@"'],
    ["SELECT 😀", '"😀"'],
    ["SELECT 'open", "does not end"],
    ["SELECT /* open", "does not end"],
    ["SELECT name, count(*) FROM events", '"name" is neither in GROUP BY'],
    ["SELECT count(count(*)) FROM events", "inside another aggregate"],
    ["SELECT id FROM events WHERE count(*) > 1", "in WHERE"],
    ["SELECT id FROM events WHERE ts > now()", "toUnixTimestamp"],
    ["SELECT id FROM events WHERE name = 5", "is compared with a number"],
    ["SELECT toStartOfHour(ts) FROM events", "fromUnixTimestamp64Milli"],
    ["SELECT name + 1 FROM events", '"+" wants numbers'],
    ["SELECT quantile(2)(ts) FROM events", "between 0 and 1"],
    ["SELECT lower() FROM events", "takes 1 argument"],
    ["SELECT simpleJSONExtractString(data, name) FROM events", "argument 2"],
    ["SELECT JSONExtractString(data, '\"]||x') FROM events", "argument 2"],
    ["SELECT formatDateTime(now(), '%Q')", "%Q"],
    ["SELECT match(name, '(') FROM events", "bad pattern"],
    ["SELECT 1 FROM events LIMIT 1, 2", '","'],
    ["SELECT 1 LIMIT -1", "whole number"],
    ["", "empty"],
    ["SELECT", "ends where"],
    ["\nSELECT id\nFROM events\nWHERE foo = 1", "(line 4, column 7)"],
  ])("OB-21: %s", async (sql, message) => {
    const refused = ask(db, freshEnvironment(), sql, NOW);
    await expect(refused).rejects.toMatchObject({ code: "query_invalid", message: expect.stringContaining(message) });
  });

  it("OB-20: hostile sizes are refused, not tried", async () => {
    const environmentId = await environmentOf([{ a: 1 }]);
    const hostile = [
      `SELECT ${"(".repeat(5000)}1${")".repeat(5000)}`,
      `SELECT ${"NOT ".repeat(3000)}1`,
      `SELECT ${"-".repeat(1)} ${"- ".repeat(3000)}1`,
      `SELECT ${Array(3000).fill("1").join(" + ")}`,
      `SELECT ${Array(900).fill("1").join(", ")}`,
      `SELECT ${Array.from({ length: 200 }, (_, i) => i).join(" + ")}`,
      `SELECT 1 FROM ${"(SELECT 1 FROM ".repeat(100)}events${")".repeat(100)}`,
      `SELECT '${"x".repeat(INSIGHTS.characters)}'`,
      `SELECT ${"replaceOne(".repeat(20)}name${", 'a', 'b')".repeat(20)} FROM events`,
      "SELECT 1e999",
    ];
    for (const sql of hostile) {
      await expect(ask(db, environmentId, sql, NOW), sql.slice(0, 60)).rejects.toMatchObject({ code: "query_invalid" });
    }
  });

  it("OB-20: texts of a question are values, whatever they look like", async () => {
    const environmentId = await environmentOf([{ a: "'; DROP TABLE events; --" }]);
    const texts = ["'' OR 1=1 --", "'); DROP TABLE runs; --", "?1", "\\\\", '"', "`", "é😀", "%_*?["];
    for (const text of texts) {
      const quoted = text.replaceAll("'", "''");
      expect(await rows(environmentId, `SELECT '${quoted}' AS \`x y\`, "x y" = '${quoted}' FROM events`)).toEqual([
        [text.replace("\\\\", "\\"), 1],
      ]);
      expect(
        await rows(environmentId, `SELECT count(*) FROM events WHERE name = '${quoted}' OR name LIKE '${quoted}'`),
      ).toEqual([[0]]);
    }
    expect(await rows(environmentId, "SELECT JSONExtractString(data, 'a') /* ; */ FROM events -- end")).toEqual([
      ["'; DROP TABLE events; --"],
    ]);
  });
});
