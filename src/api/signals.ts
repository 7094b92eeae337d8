/**
 * `POST /v1/signals` (API-15, EX-48): sends data to the run that waits for a signal. Owns the route only.
 */
import { Hono } from "hono";
import * as z from "zod";
import { MillraceError } from "../errors.ts";
import { readBody } from "../events/body.ts";
import { parseJson } from "../json.ts";
import { WAITS } from "../limits.ts";
import { waitsStub } from "../objects.ts";
import { anyJson } from "../protocol/any-json.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { described } from "./openapi/described.ts";
import { one, reply } from "./v1/reply.ts";

const body = z.object({
  signal: z
    .string()
    .min(1, "must not be empty")
    .max(WAITS.signal.length, `must have at most ${WAITS.signal.length} characters`),
  data: anyJson.default(null),
});

/** The route. */
export const signals = new Hono<Api>();

signals.post(
  "/v1/signals",
  described({
    id: "sendSignal",
    summary: "Sends data to the run that waits for a signal.",
    body,
    answers: { 200: one(z.object({ run_id: z.string() })) },
  }),
  authenticate,
  async (context) => {
    const { signal, data } = parseBody(await readBody(context.req.raw, WAITS.signal.bytes));
    const runId = await waitsStub(context.env, context.get("environment").id, "signal", signal).signal(data);
    if (runId === null) throw new MillraceError("signal_not_found", `No run waits for the signal "${signal}".`);
    return reply(context, { run_id: runId });
  },
);

function parseBody(text: string): z.infer<typeof body> {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new MillraceError("body_invalid", `The request body is not JSON: ${parsed.reason}`);
  const { data, error } = body.safeParse(parsed.value);
  if (data !== undefined) return data;
  const faults = error.issues.map((issue) => `${issue.path.join(".") || "the body"} ${issue.message}`);
  throw new MillraceError("invalid_request", `The signal is not valid: ${faults.join("; ")}`);
}
