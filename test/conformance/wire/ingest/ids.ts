/**
 * Seeds and deduplication (EV-6, EV-7, EV-15, EV-16): what is sent again acts once.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { app, engine, ULID, ulidTime } from "./world.ts";

describe.concurrent("seeds and ids", () => {
  const seeds = z
    .object({ event_id_seeds: z.array(z.object({ header: z.string(), index: z.number(), ulid: z.string() })) })
    .parse(JSON.parse(readFileSync(new URL("../../../fixtures/vectors.json", import.meta.url), "utf8"))).event_id_seeds;

  const seeded = (header: string, body: unknown) =>
    engine.api("POST", "/e/test", body, { "x-inngest-event-id-seed": header });

  it.each(seeds.filter((seed) => seed.index > 0))(
    "EV-7: the seed $header gives event $index the id $ulid",
    async (seed) => {
      const body = Array.from({ length: seed.index }, () => ({ name: "in/vector" }));
      const { json } = await seeded(seed.header, body);
      expect(
        z
          .object({ ids: z.array(z.string()) })
          .parse(json)
          .ids.at(-1),
      ).toBe(seed.ulid);
    },
  );

  it("EV-7: the same seed twice gives the same ids, one event and one run each", async () => {
    const header = `${Date.now()},${Buffer.from("seed-twice").toString("base64")}`;
    const body = [
      { name: "in/one", data: { n: 1 } },
      { name: "in/one", data: { n: 2 } },
    ];
    const answers = await Promise.all([seeded(header, body), seeded(header, body)]);
    answers.push(await seeded(header, body));
    const [first] = answers;
    for (const answer of answers) expect(answer.json).toEqual(first?.json);
    const { ids } = z.object({ ids: z.array(z.string()) }).parse(first?.json);
    for (const id of ids) expect(await engine.ended(id)).toHaveLength(1);
    const listed = await engine.until(async () => {
      const { text } = await engine.api("GET", "/v1/events?name=in/one&limit=100");
      return ids.every((id) => text.includes(id)) ? text : null;
    });
    for (const id of ids) expect(listed.split(`"internal_id":"${id}"`)).toHaveLength(2);
    expect(app.calls.filter((call) => ids.includes(call.body.event.id))).toHaveLength(2);
  });

  it.each(["", "nonsense", "12,short==", "-5,AAECAwQFBgcICQ==", "99999999999999999,AAECAwQFBgcICQ=="])(
    "EV-7: the invalid seed %j is ignored",
    async (header) => {
      const answers = await Promise.all([1, 2].map(() => seeded(header, { name: "in/seedless" })));
      const ids = answers.flatMap(({ json }) => z.object({ ids: z.array(z.string().regex(ULID)) }).parse(json).ids);
      expect(new Set(ids).size).toBe(2);
      for (const id of ids) expect(Math.abs(ulidTime(id) - Date.now())).toBeLessThan(10_000);
    },
  );

  it("EV-6: a sender's id and the internal id find the same event, and the function sees the sender's", async () => {
    const [id = ""] = await engine.send({ name: "in/one", id: "cart-1" });
    await engine.ended(id);
    const stored = await engine.until(async () => {
      const answer = await engine.api("GET", "/v1/events/cart-1");
      return answer.status === 200 ? answer.json : null;
    });
    expect(stored).toMatchObject({ data: { id: "cart-1", internal_id: id } });
    expect(app.calls.some((call) => call.body.event.id === "cart-1")).toBe(true);
  });

  it("EV-15: a second event with the id is stored as a duplicate and starts nothing, whatever its name", async () => {
    const [first = ""] = await engine.send({ name: "in/one", id: "x1", data: { n: 1 } });
    const [second = ""] = await engine.send({ name: "in/three", id: "x1", data: { n: 2 } });
    expect(second).not.toBe(first);
    expect(await engine.ended(first)).toHaveLength(1);
    const duplicate = await engine.event(second);
    expect(duplicate).toMatchObject({ id: "x1", data: { n: 2 }, duplicate: true });
    expect(duplicate["outcomes"]).toEqual(
      [1, 2, 3].map(() => expect.objectContaining({ outcome: "skipped", reason: "duplicate_event" })),
    );
    expect(await engine.runsOf(second)).toEqual([]);
  });

  it("EV-15: two events with one id in one request: the first acts", async () => {
    const ids = await engine.send([
      { name: "in/one", id: "x2" },
      { name: "in/one", id: "x2" },
    ]);
    expect(await engine.ended(ids[0] ?? "")).toHaveLength(1);
    expect(await engine.event(ids[1] ?? "")).toMatchObject({ duplicate: true });
  });

  it("EV-16: the same id sent twice at once starts each of three functions once", async () => {
    const sent = await Promise.all([1, 2, 3, 4].map(() => engine.send({ name: "in/three", id: "x3" })));
    await engine.until(() => app.calls.filter((call) => call.body.event.id === "x3").length >= 3);
    const runs = await Promise.all(sent.flat().map((id) => engine.runsOf(id)));
    expect(runs.map((some) => some.length).sort()).toEqual([0, 0, 0, 3]);
    const acting = sent.flat()[runs.findIndex((some) => some.length > 0)] ?? "";
    await engine.ended(acting, 3);
    const slugs = app.calls.filter((call) => call.body.event.id === "x3").map((call) => call.slug);
    expect(slugs.sort()).toEqual(["in-first", "in-second", "in-third"]);
  });
});
