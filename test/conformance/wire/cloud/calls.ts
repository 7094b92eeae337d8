/**
 * Signed calls and the rotation of keys (SE-3, SE-7, EX-24, EX-25, protocol/05).
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { bare, canonical, hashed, isSigned, KEY, sign } from "./signature.ts";
import { AWKWARD, EVENT_KEYS, engine, finished } from "./world.ts";

describe("calls", () => {
  it("protocol/05: this suite's own check agrees with the captured vectors", () => {
    const vector = z.object({ input: z.unknown(), jcs: z.string(), t: z.number(), header: z.string() });
    const vectors = z
      .object({ signing_key: z.string(), bearer: z.string(), signatures: z.array(vector) })
      .parse(JSON.parse(readFileSync(new URL("../../../fixtures/vectors.json", import.meta.url), "utf8")));
    expect(hashed(vectors.signing_key)).toBe(vectors.bearer);
    for (const { input, jcs, t, header } of vectors.signatures) {
      if (input !== "") expect(canonical(input)).toBe(jcs);
      expect(sign(vectors.signing_key, jcs, t)).toBe(header);
    }
  });

  it("SE-3, protocol/05 §5.2: every call is signed over exactly the bytes sent, which are canonical", async () => {
    const { ended, calls } = await finished("steps");
    expect(ended, JSON.stringify(ended?.output)).toMatchObject({ status: "Completed" });
    expect(calls).toHaveLength(3);
    for (const { raw, headers } of calls) {
      expect(raw).toBe(canonical(JSON.parse(raw)));
      expect(isSigned(KEY, headers["x-inngest-signature"], raw)).toBe(true);
      expect(headers["x-inngest-server-kind"]).toBe("cloud");
    }
    expect(calls[0]?.body.event.data).toEqual({ ...AWKWARD, "€": 0 });
  });

  it("SE-3, EX-6: text with half a surrogate pair neither breaks the signature nor the run", async () => {
    const answer = await engine.api(
      "POST",
      `/e/${EVENT_KEYS[0]}`,
      `{"name":"cloud/only-key","data":{"half":"\\ud83d"}}`,
    );
    const { ids } = z.object({ ids: z.array(z.string()) }).parse(answer.json);
    const [ended] = await engine.ended(ids[0] ?? "");
    expect(ended, JSON.stringify(ended?.output)).toMatchObject({ status: "Completed" });
  });

  it("SE-7: an app that has only the current key is called once", async () => {
    const { ended, calls } = await finished("only-key");
    expect(ended).toMatchObject({ status: "Completed" });
    expect(calls.filter((call) => call.runId === ended?.run_id)).toHaveLength(1);
  });

  it("SE-7: an app that has only the other key gets the same attempt again, signed with it", async () => {
    const { ended, calls } = await finished("only-fallback");
    expect(ended).toMatchObject({ status: "Completed" });
    expect(calls.map((call) => call.body.ctx.attempt)).toEqual([0, 0]);
    expect(calls.map((call) => isSigned(KEY, call.headers["x-inngest-signature"], call.raw))).toEqual([true, false]);
  });

  it("EX-24, SE-7: an app that has neither key refuses, and the attempt is signature_rejected", async () => {
    const { ended, calls } = await finished("neither");
    expect(ended).toMatchObject({ status: "Failed", output: { code: "signature_rejected" } });
    expect(calls).toHaveLength(2);
    expect(JSON.stringify(ended)).not.toContain(bare(KEY));
  });

  it("EX-25: a redirect to another host carries no signature", async () => {
    const { ended, calls } = await finished("moves");
    expect(ended).toMatchObject({ status: "Completed" });
    expect(calls.map((call) => [call.headers["host"]?.split(":")[0], "x-inngest-signature" in call.headers])).toEqual([
      ["127.0.0.1", true],
      ["localhost", false],
    ]);
  });

  it("EX-25: a redirect on the same host carries the signature", async () => {
    const { ended, calls } = await finished("stays");
    expect(ended).toMatchObject({ status: "Completed" });
    expect(calls.map((call) => isSigned(KEY, call.headers["x-inngest-signature"], call.raw))).toEqual([true, true]);
  });
});
