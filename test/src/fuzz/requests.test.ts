/**
 * The parsers of requests under hostile input (SE-15): each gives a value or one of the documented errors, whatever comes.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pageQuery, parseQuery } from "../../../src/api/v1/query.ts";
import { ERRORS, MillraceError } from "../../../src/errors.ts";
import { acceptEvents } from "../../../src/events/accept.ts";
import { readBody } from "../../../src/events/body.ts";
import { parseSeed, seededId } from "../../../src/events/seed.ts";
import { isUlid } from "../../../src/ids.ts";
import { type Json, parseJson } from "../../../src/json.ts";
import { EVENT } from "../../../src/limits.ts";
import { canonicalJson } from "../../../src/protocol/canonical.ts";
import { parseCheckpoint } from "../../../src/protocol/checkpoint.ts";
import { parseNewRun, parseSteps } from "../../../src/protocol/endpoint-report.ts";
import { parseMetadata } from "../../../src/protocol/metadata.ts";
import { parseControl } from "../../../src/protocol/realtime.ts";
import { dataOf, parseTarget, parseTopics } from "../../../src/protocol/realtime-request.ts";
import { parseRegistration } from "../../../src/protocol/registration.ts";
import { hostileBytes, hostileJson, hostileText } from "../../fuzz/hostile.ts";
import { planOf } from "../../fuzz/plan.ts";
import { CHECKPOINT, INGEST, KNOWN_RUN, LATER_STEPS, NEW_RUN, OPS, REGISTRATION } from "../../fuzz/surfaces.ts";

const NOW = Date.UTC(2026, 10, 21);
const plan = <T>(cases: number) => planOf<T>(process.env, cases);

/** What a parser gives; an error that has no code, or one that would be a 5xx, fails the test. */
function outcomeOf<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    expect(ERRORS[error.code].status).toBeLessThan(500);
    expect(error.message).not.toBe("");
    return null;
  }
}

/** The value of a text that is JSON as far as `parseJson` says so. */
function jsonIn(text: string): Json | undefined {
  const parsed = parseJson(text);
  if (!parsed.ok) expect(parsed.reason).not.toBe("");
  return parsed.ok ? parsed.value : undefined;
}

const over = (texts: readonly unknown[]) => hostileJson(texts.map((value) => JSON.stringify(value)));

describe("hostile requests", () => {
  it("SE-15, EV-3 … EV-7: events are accepted as they must be, or refused", () => {
    const bodies = INGEST.flatMap(({ bodies = [] }) => bodies);
    const seeds = fc.oneof(
      fc.constantFrom("1700000000000,AAECAwQFBgcICQ==", "281474976710655,//////////////=="),
      hostileText,
    );
    fc.assert(
      fc.property(hostileJson(bodies), seeds, (body, seed) => {
        const headers = new Headers();
        if (/^[\x20-\x7e]+$/.test(seed)) headers.set("x-inngest-event-id-seed", seed);
        const accepted = outcomeOf(() => acceptEvents(body, headers, { now: NOW, maxEventBytes: EVENT.bytes.min }));
        for (const { internalId, payload, deduplicationId } of accepted ?? []) {
          expect(isUlid(internalId)).toBe(true);
          expect(payload.name).not.toMatch(/^$|^inngest\//i);
          expect([...payload.name].length).toBeLessThanOrEqual(EVENT.nameLength);
          expect([...(deduplicationId ?? "")].length).toBeLessThanOrEqual(EVENT.idLength);
          expect(Object.hasOwn(payload.data, "_inngest")).toBe(false);
          expect(Object.getPrototypeOf(payload.data)).toBe(Object.prototype);
          expect(Number.isSafeInteger(payload.ts)).toBe(true);
        }
      }),
      plan(4000),
    );
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it("SE-15, EV-5: bodies of any bytes are text, or refused, and never longer than their limit", async () => {
    const limit = 5000;
    const announced = fc.option(
      fc.oneof(fc.nat(10_000).map(String), fc.constantFrom("abc", "-1", "1e9", "9".repeat(30))),
    );
    await fc.assert(
      fc.asyncProperty(hostileBytes(hostileText), announced, async (body, length) => {
        // Whoever forwards a request to the Worker may announce something else than it sends.
        const headers = { ...(length === null ? {} : { "content-length": length }) };
        const request = new Request("http://engine/e/x", { method: "POST", body, headers });
        const text = await readBody(request, limit).catch((error: unknown) => outcomeOf(() => thrown(error)));
        if (typeof text === "string") expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(limit);
      }),
      plan(1500),
    );
  });

  it("SE-15: what parses is canonical again after its canonical form", () => {
    fc.assert(
      fc.property(over([REGISTRATION, OPS]), (text) => {
        const value = jsonIn(text);
        if (value === undefined) return;
        const canonical = canonicalJson(value);
        expect(canonicalJson(JSON.parse(canonical))).toBe(canonical);
      }),
      plan(1500),
    );
  });

  it("SE-15: registrations become a whole one or violations, each with a code", () => {
    fc.assert(
      fc.property(over([REGISTRATION]), (text) => {
        const value = jsonIn(text);
        if (value === undefined) return;
        const { functions, violations, capabilities } = parseRegistration(value);
        for (const { code } of violations) expect(ERRORS[code].status).toBe(400);
        expect([functions, capabilities].every((part) => typeof part === "object")).toBe(true);
      }),
      plan(2000),
    );
  });

  it("SE-15: checkpoints and reports are understood or refused with a sentence", () => {
    const parsers = [
      (value: Json) => parseCheckpoint(KNOWN_RUN, value),
      (value: Json) => parseSteps(KNOWN_RUN, value, NOW),
      (value: Json) => parseNewRun(value, NOW),
      (value: Json) => parseMetadata(value),
    ];
    const metadata = { target: { step_id: "s" }, metadata: [{ kind: "userland.a", op: "set", values: { a: 1 } }] };
    const texts = over([
      CHECKPOINT,
      { ...CHECKPOINT, steps: OPS },
      LATER_STEPS,
      { ...LATER_STEPS, steps: OPS },
      NEW_RUN,
      metadata,
    ]);
    fc.assert(
      fc.property(texts, (text) => {
        const value = jsonIn(text);
        for (const parse of value === undefined ? [] : parsers) {
          const parsed = parse(value ?? null);
          if (!parsed.ok) expect(parsed.message).toMatch(/^[A-Z].{5}/s);
        }
      }),
      plan(3000),
    );
  });

  it("SE-15, RT-1, RT-10: realtime's requests and subscribers' messages are understood or refused", () => {
    const topics = [{ channel: "chat:1", name: "news", kind: "run" }];
    const texts = over([topics, { kind: "sub", data: "a.b.c" }, { kind: "unsub", data: topics }, { o: 1 }]);
    fc.assert(
      fc.property(texts, hostileText, hostileText, (text, channel, topic) => {
        const value = jsonIn(text);
        if (value !== undefined) outcomeOf(() => parseTopics(value));
        parseControl(text);
        const data = outcomeOf(() => dataOf(text));
        if (data !== null) expect(JSON.stringify(JSON.parse(data)).includes("\n")).toBe(false);
        const query = new URLSearchParams({ channel, topic, run_id: topic, metadata: text });
        const target = outcomeOf(() => parseTarget(query));
        if (target?.metadata != null) expect(target.metadata).not.toMatch(/[\r\n]/);
      }),
      plan(2000),
    );
  });

  it("SE-15, API-5: queries are understood or refused, and a page has between 1 and 100 items", () => {
    fc.assert(
      fc.property(hostileText, hostileText, (limit, cursor) => {
        const page = outcomeOf(() => parseQuery(pageQuery, { limit, cursor }));
        if (page !== null) expect(page.limit >= 1 && page.limit <= 100).toBe(true);
        const counted = outcomeOf(() => parseQuery(pageQuery, { limit }));
        if (counted !== null) expect(counted.limit >= 1 && counted.limit <= 100).toBe(true);
      }),
      plan(1000),
    );
  });

  it("EV-7: a seed gives ids that are ULIDs, or is ignored", () => {
    fc.assert(
      fc.property(
        hostileText,
        fc.nat({ max: 2 ** 47 }),
        fc.uint8Array({ minLength: 10, maxLength: 10 }),
        fc.nat(),
        (text, time, entropy, at) => {
          for (const header of [text, `${time},${btoa(String.fromCharCode(...entropy))}`]) {
            const seed = parseSeed(header);
            if (seed !== null) expect(isUlid(seededId(seed, at))).toBe(true);
          }
          expect(parseSeed(`${time},${btoa(String.fromCharCode(...entropy))}`)).not.toBeNull();
        },
      ),
      plan(1000),
    );
  });
});

function thrown(error: unknown): never {
  throw error;
}
