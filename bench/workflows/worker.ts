/**
 * The peer: a Cloudflare Workflow of three trivial steps. Its steps are calls inside the process, where ours are HTTP requests to an app.
 * Counts finished instances in the isolate, so that waiting for the last one costs nothing.
 */
import { WorkflowEntrypoint, type WorkflowStep } from "cloudflare:workers";

interface Env {
  readonly WORKFLOW: Workflow;
}

let finished = 0;

export class ThreeSteps extends WorkflowEntrypoint<Env> {
  override async run(_event: unknown, step: WorkflowStep): Promise<number> {
    const a = await step.do("a", () => Promise.resolve(1));
    const b = await step.do("b", () => Promise.resolve(a + 1));
    const c = await step.do("c", () => Promise.resolve(b + 1));
    finished += 1;
    return c;
  }
}

export default {
  /** `POST /` creates an instance; `GET /` answers how many have finished. */
  async fetch(request, env) {
    if (request.method === "POST") await env.WORKFLOW.create();
    return Response.json({ finished });
  },
} satisfies ExportedHandler<Env>;
