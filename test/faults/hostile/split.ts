/**
 * Row 13: a reply that is longer than it says, on a connection that is used again. What is left over looks like the reply to the next call.
 */
import { expect, it } from "vitest";
import type { Seen } from "../../conformance/wire/case.ts";
import { complete, run } from "../../conformance/wire/ops.ts";
import { startRawServer } from "./raw-server.ts";
import { head } from "./wire.ts";

/** A whole reply with operations. */
function reply(...ops: readonly object[]): string {
  const body = JSON.stringify(ops);
  return `${head(206, { "content-length": String(Buffer.byteLength(body)), connection: "keep-alive" })}${body}`;
}

/** Declares the test. */
export function splitTest(world: () => Pick<Seen, "engine" | "app">): void {
  it("row 13: what an app says beyond the length of its reply answers no other call (SE-15, I2)", async () => {
    const { engine, app } = world();
    const smuggled = reply(run("smuggled"), complete("smuggled"));
    let calls = 0;
    const server = await startRawServer((request, socket) => {
      const stack = JSON.stringify(JSON.parse(request.body.toString("utf8")).ctx.stack.stack);
      calls++;
      socket.write(stack === "[]" ? `${reply(run("a", calls))}${smuggled}` : reply(complete("honest")));
    });
    try {
      const registration = app.registration("split", [{ id: "f", event: "split/go", script: [] }]);
      const moved = JSON.stringify(registration).replaceAll(app.url, server.origin);
      expect((await engine.api("POST", "/fn/register", moved)).json).toMatchObject({ ok: true });
      const ids = await engine.send(Array.from({ length: 10 }, () => ({ name: "split/go" })));
      for (const id of ids) expect(await engine.ended(id)).toMatchObject([{ status: "Completed", output: "honest" }]);
      expect(calls).toBe(20);
    } finally {
      await server.close();
    }
  });
}
