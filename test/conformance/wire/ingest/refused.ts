/**
 * What the Event API refuses (EV-1 … EV-5, EV-9, EV-37): each refusal with its own error, and nothing of any of them left behind.
 */
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { uploadWithoutEnd } from "../upload.ts";
import { REFUSALS } from "./refusals.ts";
import { app, engine, MIB } from "./world.ts";

describe("what is refused", () => {
  for (const { id, proves, body, headers, status, code, tells } of REFUSALS) {
    it(`${proves} is refused with ${code} [${id}]`, async () => {
      const answer = await engine.api("POST", "/e/test", body, headers);
      expect(answer.json).toEqual({ ids: [], status, code, error: expect.stringMatching(tells) });
      expect(answer.status).toBe(status);
    });
  }

  it("EV-5: a body that announces 10 MiB and a byte is refused before it is sent", async () => {
    const answer = await uploadWithoutEnd(`${engine.url}/e/test`, { "content-length": String(10 * MIB + 1) }, []);
    expect(answer).toEqual({
      ids: [],
      status: 413,
      code: "request_too_large",
      error: expect.stringMatching(new RegExp(`${10 * MIB + 1}.*${10 * MIB}`)),
    });
  });

  it("EV-5: a body that announces no length is refused when 10 MiB and a byte have come", async () => {
    const piece = Buffer.alloc(MIB, " ");
    const pieces = [...Array.from({ length: 10 }, () => piece), Buffer.from("{")];
    const answer = await uploadWithoutEnd(`${engine.url}/e/test`, { "transfer-encoding": "chunked" }, pieces);
    expect(answer).toMatchObject({ ids: [], status: 413, code: "request_too_large" });
  });

  it("EV-2: bytes that are no text are refused", async () => {
    const response = await fetch(`${engine.url}/e/test`, {
      method: "POST",
      body: Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d),
    });
    expect(await response.json()).toMatchObject({ ids: [], status: 400, code: "body_invalid" });
  });

  it("EV-1: another method is refused in the same form", async () => {
    const answer = await engine.api("GET", "/e/test");
    expect(answer).toMatchObject({ status: 405, json: { ids: [], status: 405, code: "method_not_allowed" } });
  });

  it("EV-4: of all that was refused nothing is stored and nothing has started", async () => {
    const [id = ""] = await engine.send({ name: "in/one", data: { sentinel: true } });
    const [run] = await engine.ended(id);
    // Once a later run is in history, everything that happened before it is.
    await engine.until(async () => (await engine.api("GET", "/v1/runs")).text.includes(run?.run_id ?? "no run"));
    const { json } = await engine.api("GET", "/v1/events?limit=100");
    const names = z
      .object({ data: z.array(z.object({ name: z.string() })) })
      .parse(json)
      .data.map((event) => event.name);
    expect(names).toContain("in/one");
    expect(names.filter((name) => /refused|nGest|inngest\/function.failed/.test(name))).toEqual([]);
    expect(app.callsOf("in-refused")).toEqual([]);
  });
});
