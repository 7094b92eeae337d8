/**
 * The birth of a run that begins in the app's own HTTP handler (EX-68). Owns how its identity follows from the first checkpoint:
 * everything but the times derives from what the SDK sent, so that a repeated one describes the same run.
 */
import type { Endpoint } from "../apps/endpoint.ts";
import type { RunIdentity } from "../decide/run/identity.ts";
import type { AcceptedEvent } from "../events/event.ts";
import { derivedUlid, ulidTime } from "../ids.ts";
import type { NewRun } from "../protocol/endpoint-report.ts";

/** What the run is born with. `sdk` as the SDK names itself, `lease` and `now` in ms. The run's id must be a ULID. */
export async function endpointIdentity(
  environmentId: string,
  { app, function: configured }: Endpoint,
  { runId, request, version, retries }: NewRun,
  { sdk, lease, now }: { readonly sdk: string; readonly lease: number; readonly now: number },
): Promise<RunIdentity> {
  const internalId = await derivedUlid(ulidTime(runId), "endpoint", environmentId, runId);
  const event: AcceptedEvent = {
    internalId,
    receivedAt: now,
    source: sdk,
    deduplicationId: null,
    payload: { name: "inngest/http.request", data: request.data, id: internalId, ts: now, user: {} },
  };
  const considered = { functionId: configured.id, functionSlug: configured.slug };
  const { method, url, contentType } = request;
  return {
    environmentId,
    runId,
    app,
    function: configured,
    retries,
    events: [{ event, outcomes: [{ ...considered, outcome: "started", runId }], duplicate: false }],
    queuedAt: now,
    startAt: now,
    depth: 0,
    parent: null,
    originalRunId: null,
    endpoint: { method, url, contentType, version, sdk, lease },
  };
}
