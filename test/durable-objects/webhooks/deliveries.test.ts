import { beforeAll, describe, expect, it, vi } from "vitest";
import { PRODUCTION } from "../../../src/environments/environment.ts";
import { WEBHOOK } from "../../../src/limits.ts";
import { settingsOf } from "../../../src/settings.ts";
import { expireRecords } from "../../../src/sweep/expiry.ts";
import { logDelivery } from "../../../src/webhooks/deliveries.ts";
import { transformFailure } from "../../../src/webhooks/failure.ts";
import { findWebhook } from "../../../src/webhooks/store.ts";
import { ask, cloud, customEnvironment } from "../cloud.ts";
import { inDatabase } from "../isolation/contents.ts";
import { eventOf, post, type Shown, webhook } from "./world.ts";

const UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const BUG = "function transform(evt) {\n  return { name: evt.no.such, data: {} };\n}";
const FIXED = "function transform(evt) { return [{ name: 'fixed/x', data: evt }, { name: 'fixed/y' }] }";

let staging = { id: "", signingKey: "", eventKey: "" };

beforeAll(async () => {
  staging = await customEnvironment("staging");
});

const logOf = async ({ id }: Shown) => (await ask("GET", `/v1/webhooks/${id}/deliveries`)).body.data;
const again = ({ id }: Shown, delivery: string) => ask("POST", `/v1/webhooks/${id}/deliveries/${delivery}/replay`);
const mend = ({ id }: Shown, transform = FIXED) => ask("PUT", `/v1/webhooks/${id}`, { transform });

/** A webhook with a bug, and its one failed delivery. */
async function failed(body = '{"a":1}', headers: Record<string, string> = {}) {
  const made = await webhook({ name: "Bug", transform: BUG });
  const answer = await post(`${made.url}?q=1`, body, { headers });
  const [{ id }] = await logOf(made);
  return { made, answer, id: id as string };
}

describe("EV-32: a transform that fails", () => {
  it("gives the provider 412, and the log what was sent and why", async () => {
    const { made, answer, id } = await failed('{"a":1}', { "x-github-event": "IssuesEvent" });
    expect(answer.json).toEqual({
      ids: [],
      status: 412,
      code: "transform_failed",
      error: expect.stringMatching(/^The webhook's transform failed: TypeError: /),
    });
    const failure = {
      name: "TypeError",
      message: expect.any(String),
      stack: expect.stringContaining("transform.js:2"),
    };
    const logged = {
      id,
      received_at: expect.any(String),
      failure,
      bytes: expect.any(Number),
      can_run_again: true,
      replayed_at: null,
    };
    expect(await logOf(made)).toEqual([logged]);
    const whole = (await ask("GET", `/v1/webhooks/${made.id}/deliveries/${id}`)).body.data;
    const headers = expect.objectContaining({ "X-Github-Event": "IssuesEvent" });
    expect(whole).toEqual({ ...logged, request: { headers, query: "q=1", body: '{"a":1}' } });
  });

  it.each([
    ["throws", "() => { throw new Error('no') }", "Error"],
    ["never ends", "() => { for (;;); }", "TimeLimitExceeded"],
    ["calls fetch", "() => fetch('https://example.com')", "ReferenceError"],
    [
      "takes all memory",
      "() => { const all = []; for (;;) all.push(new Array(10000).fill(1)) }",
      "MemoryLimitExceeded",
    ],
    ["returns no event", "() => 7", "event_invalid"],
    ["returns an event without a name", "() => ({ data: {} })", "event_invalid"],
    ["returns a name of the engine's own", "() => ({ name: 'inngest/x' })", "event_name_reserved"],
    ["returns one event too many that is none", "() => [{ name: 'ok' }, 7]", "event_invalid"],
  ])("so does one that %s, and no event is left of it", async (_, transform, name) => {
    const made = await webhook({ name: "fails", transform });
    const { count } = (await cloud.DB.prepare("SELECT count(*) AS count FROM events").first<{ count: number }>()) ?? {};
    expect((await post(made.url, "{}")).json).toMatchObject({ ids: [], status: 412, code: "transform_failed" });
    expect(await logOf(made)).toMatchObject([{ failure: { name } }]);
    expect(await cloud.DB.prepare("SELECT count(*) AS count FROM events").first()).toEqual({ count });
  });

  it("is run again when the transform is mended; twice is once", async () => {
    const { made, id } = await failed();
    await mend(made);
    const { body } = await again(made, id);
    const ids: string[] = body.data.ids;
    const events = await Promise.all(ids.map((each) => eventOf(each)));
    expect(events).toMatchObject([
      { name: "fixed/x", data: { a: 1 }, source: "webhook: Bug", duplicate: false },
      { name: "fixed/y", data: {}, source: "webhook: Bug", duplicate: false },
    ]);
    const [{ replayed_at }] = await logOf(made);
    expect(replayed_at).toEqual(expect.any(String));
    const more = await Promise.all([again(made, id), again(made, id)]);
    expect(more.map((answer) => answer.body.data.ids)).toEqual([ids, ids]);
    expect(await logOf(made)).toMatchObject([{ id, replayed_at }]);
    const stored = await cloud.DB.prepare("SELECT count(*) AS n FROM events WHERE name LIKE 'fixed/%'").first("n");
    expect(stored).toBe(2);
  });

  it("that fails again is told why it does now", async () => {
    const { made, id } = await failed();
    await mend(made, "() => { throw new RangeError('still') }");
    expect(await again(made, id)).toMatchObject({ status: 412, body: { code: "transform_failed" } });
    expect(await logOf(made)).toMatchObject([
      { id, failure: { name: "RangeError", message: "still" }, replayed_at: null },
    ]);
  });

  it("EV-19: what filters refuse stays in the log", async () => {
    const { made, id } = await failed();
    await ask("PUT", `/v1/webhooks/${made.id}`, { transform: FIXED, filters: { names: { deny: ["fixed/y"] } } });
    expect(await again(made, id)).toMatchObject({ status: 403, body: { code: "event_filtered" } });
    expect(await logOf(made)).toMatchObject([{ id, replayed_at: null }]);
  });
});

describe("EV-32: the log", () => {
  it("keeps of a delivery that is too large its headers, and does not run it again", async () => {
    const { made, id } = await failed("x".repeat(WEBHOOK.log.bytes), { "x-sig": "abc" });
    expect(await logOf(made)).toMatchObject([{ can_run_again: false }]);
    const { request, bytes } = (await ask("GET", `/v1/webhooks/${made.id}/deliveries/${id}`)).body.data;
    expect(request).toMatchObject({ body: null, headers: { "X-Sig": "abc" } });
    await mend(made);
    const refused = await again(made, id);
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(refused.body.error).toContain(String(bytes));
  });

  it("keeps the largest whole one in one row", async () => {
    const { made, id } = await failed("\u0001".repeat(WEBHOOK.log.bytes / 6 - 200));
    expect(await logOf(made)).toMatchObject([{ can_run_again: true }]);
    await mend(made);
    expect((await again(made, id)).status).toBe(200);
  });

  it("keeps the newest hundred of each webhook, for seven days", async () => {
    const [made, other] = [await webhook({ name: "many" }), (await failed()).made];
    const found = await findWebhook(cloud.DB, PRODUCTION.id, made.id);
    if (found === null) throw new Error("The webhook is gone");
    const delivery = { headers: {}, query: "", body: "{}" };
    // Ahead of all ids before, because ids never go back.
    const begin = Date.now() + 1000;
    const failure = transformFailure("Error", "no");
    for (let n = 0; n < WEBHOOK.log.most + 5; n++) {
      await logDelivery(cloud.DB, settingsOf(cloud), found, { delivery, failure }, begin + n);
    }
    const log = await logOf(made);
    expect(log).toHaveLength(WEBHOOK.log.most);
    expect(log.map(({ id }: { id: string }) => id)).toEqual(
      log
        .map(({ id }: { id: string }) => id)
        .sort()
        .reverse(),
    );
    expect(Date.parse(log.at(-1).received_at)).toBe(begin + 5);
    expect(await logOf(other)).toHaveLength(1);

    const kept = async () =>
      await cloud.DB.prepare("SELECT count(*) AS n FROM webhook_deliveries WHERE key_id IN (?1, ?2)")
        .bind(made.id, other.id)
        .first("n");
    vi.useFakeTimers({ toFake: ["Date"], now: begin + 10 + WEBHOOK.log.kept });
    try {
      expect(await logOf(made)).toHaveLength(WEBHOOK.log.most - 5);
      const [oldest] = log.slice(-1);
      expect((await again(made, oldest.id)).status).toBe(404);
    } finally {
      vi.useRealTimers();
    }
    await expireRecords(cloud, staging.id, begin + 10 + WEBHOOK.log.kept);
    expect(await kept()).toBe(WEBHOOK.log.most + 1);
    await expireRecords(cloud, PRODUCTION.id, begin + 10 + WEBHOOK.log.kept);
    expect(await kept()).toBe(WEBHOOK.log.most - 5);
  });

  it("keeps no more than its share of the database, the newest first", async () => {
    const made = await webhook({ name: "large" });
    const found = await findWebhook(cloud.DB, PRODUCTION.id, made.id);
    if (found === null) throw new Error("The webhook is gone");
    const delivery = { headers: {}, query: "", body: "x".repeat(WEBHOOK.log.bytes - 100) };
    for (let n = 0; n < 14; n++) {
      const failure = transformFailure("Error", String(n));
      await logDelivery(cloud.DB, settingsOf(cloud), found, { delivery, failure }, Date.now());
    }
    const size = "SELECT sum(octet_length(request)) AS bytes FROM webhook_deliveries WHERE key_id = ?1";
    expect(await cloud.DB.prepare(size).bind(made.id).first("bytes")).toBeLessThanOrEqual(WEBHOOK.log.total);
    const messages = (await logOf(made)).map(({ failure }: { failure: { message: string } }) => failure.message);
    expect(messages).toEqual(Array.from({ length: messages.length }, (_, n) => String(13 - n)));
    expect(messages.length).toBeGreaterThan(8);
  });

  it("SE-14: nothing of it is in a row in clear, nor is the key in the URL", async () => {
    const canary = "provider-canary-77";
    const made = await webhook({
      name: "Secret",
      transform: "(evt, headers) => { throw new Error(headers.Authorization) }",
    });
    const answer = await post(`${made.url}?token=${canary}`, JSON.stringify({ canary }), {
      headers: { authorization: `Bearer ${canary}` },
    });
    expect(answer.status).toBe(412);
    const [{ id }] = await logOf(made);
    const { text } = await ask("GET", `/v1/webhooks/${made.id}/deliveries/${id}`);
    expect(text.split(canary).length).toBeGreaterThan(3);
    const stored = JSON.stringify(await inDatabase());
    expect(stored).toContain(id);
    expect(stored).not.toContain(canary);
    expect(stored).not.toContain(made.url.slice(made.url.lastIndexOf("/") + 1));
  });

  it("SE-14: what another secret sealed is listed all the same, and cannot be run again", async () => {
    const { made, id } = await failed();
    const deployment = { ...cloud, MILLRACE_SECRET: "77".repeat(32) };
    const listed = await ask("GET", `/v1/webhooks/${made.id}/deliveries`, undefined, { deployment });
    expect(listed.body.data).toMatchObject([{ id, failure: null }]);
    const path = `/v1/webhooks/${made.id}/deliveries/${id}`;
    expect((await ask("GET", path, undefined, { deployment })).body.data.request).toBeNull();
    expect((await ask("POST", `${path}/replay`, undefined, { deployment })).body.code).toBe("not_configured");
  });

  it("SE-8: another environment's webhooks have none of it", async () => {
    const { made, id } = await failed();
    const theirs = await webhook({ name: "theirs" }, { key: staging.signingKey });
    const asking = { key: staging.signingKey };
    for (const webhookId of [made.id, theirs.id]) {
      const path = `/v1/webhooks/${webhookId}/deliveries/${id}`;
      expect((await ask("GET", path, undefined, asking)).status).toBe(404);
      expect((await ask("POST", `${path}/replay`, undefined, asking)).status).toBe(404);
    }
    expect((await again(made, UNKNOWN)).body.code).toBe("not_found");
  });

  it("is gone with its webhook, also what fails after that", async () => {
    const { made, id } = await failed();
    const found = await findWebhook(cloud.DB, PRODUCTION.id, made.id);
    if (found === null) throw new Error("The webhook is gone");
    await ask("DELETE", `/v1/webhooks/${made.id}`);
    const late = { delivery: { headers: {}, query: "", body: "" }, failure: transformFailure("Error", "late") };
    await logDelivery(cloud.DB, settingsOf(cloud), found, late, Date.now());
    const stored = JSON.stringify(await inDatabase());
    for (const gone of [made.id, id]) expect(stored).not.toContain(gone);
  });
});
