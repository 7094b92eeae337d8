/**
 * An app for tests inside workerd, in place of the network: it answers calls as an SDK of protocol version 2 does.
 */
import { vi } from "vitest";
import * as z from "zod";

/** A call of the app, as far as functions look at it. */
const callSchema = z.looseObject({
  event: z.looseObject({ name: z.string(), data: z.record(z.string(), z.unknown()) }),
  steps: z.record(z.string(), z.unknown()),
  ctx: z.looseObject({ run_id: z.string(), attempt: z.number(), step_id: z.string() }),
});

/** A call. */
export type AppCall = z.infer<typeof callSchema> & {
  readonly fnId: string;
  readonly headers: Headers;
};

/** What a function answers: operations, or its output. */
export type AppAnswer = { readonly ops: readonly object[] } | { readonly output: unknown } | Response;

/** Replaces `fetch` for the rest of the file. `others` answers requests that are no calls of the app at `http://app.test`. */
export function playApp(
  functions: Readonly<Record<string, (call: AppCall) => AppAnswer>>,
  others: (request: Request) => Response | Promise<Response> = () => new Response("nobody is here", { status: 404 }),
): void {
  vi.stubGlobal("fetch", async (target: URL | string | Request, init?: RequestInit) => {
    const request = new Request(target, init);
    const url = new URL(request.url);
    const fnId = url.searchParams.get("fnId") ?? "";
    const play = url.hostname === "app.test" ? functions[fnId] : undefined;
    if (play === undefined) return await others(request);
    const call = { ...callSchema.parse(await request.json()), fnId, headers: request.headers };
    const answer = play(call);
    if (answer instanceof Response) return answer;
    const headers = { "x-inngest-sdk": "inngest-js:v4.24.0", "x-inngest-req-version": "2" };
    if ("ops" in answer) return Response.json(answer.ops, { status: 206, headers });
    return Response.json(answer.output, { headers });
  });
}
