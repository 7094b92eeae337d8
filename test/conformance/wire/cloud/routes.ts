/**
 * Every route that needs the signing key (API-2, SE-1), with a request that would be answered otherwise.
 */

/** A request to a protected route. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

const RUN = "01JD2QV6Z9M4N8R3T5W7X1Y2A4";

/** The routes; more are added with each part that is built. */
export const PROTECTED: readonly Route[] = [
  { method: "POST", path: "/fn/register", body: {} },
  { method: "DELETE", path: "/fn/remove?url=https%3A%2F%2Fapp.example%2Fapi%2Finngest" },
  { method: "POST", path: "/invoke/cloud-nobody", body: { data: {} } },
  { method: "GET", path: `/v0/runs/${RUN}/batch` },
  { method: "GET", path: `/v0/runs/${RUN}/actions` },
  { method: "GET", path: "/v1/events" },
  { method: "GET", path: `/v1/events/${RUN}` },
  { method: "GET", path: `/v1/events/${RUN}/runs` },
  { method: "GET", path: "/v1/runs" },
  { method: "GET", path: `/v1/runs/${RUN}` },
  { method: "GET", path: `/v1/runs/${RUN}/jobs` },
  { method: "DELETE", path: `/v1/runs/${RUN}` },
  { method: "DELETE", path: `/v0/runs/${RUN}` },
  { method: "POST", path: "/v1/cancellations", body: {} },
  { method: "GET", path: "/v1/cancellations" },
  { method: "GET", path: `/v1/cancellations/${RUN}` },
  { method: "DELETE", path: `/v1/cancellations/${RUN}` },
  { method: "POST", path: `/v1/runs/${RUN}/metadata`, body: {} },
  { method: "POST", path: `/v1/checkpoint/${RUN}/async`, body: {} },
  { method: "POST", path: `/v1/http/runs/${RUN}/async`, body: {} },
  { method: "POST", path: "/v1/signals", body: { signal: "nobody" } },
  { method: "GET", path: "/v1/apps" },
  { method: "POST", path: "/v1/apps", body: {} },
  { method: "GET", path: "/v1/apps/cloud" },
  { method: "GET", path: "/v1/apps/cloud/functions" },
  { method: "GET", path: "/v1/apps/cloud/syncs" },
  { method: "POST", path: "/v1/apps/cloud/sync" },
  { method: "POST", path: "/v1/apps/cloud/archive" },
  { method: "POST", path: "/v1/apps/cloud/unarchive" },
  { method: "GET", path: "/v1/functions" },
  { method: "GET", path: "/v1/functions/cloud-nobody" },
  { method: "POST", path: "/v1/functions/cloud-nobody/pause", body: {} },
  { method: "POST", path: "/v1/functions/cloud-nobody/resume" },
  { method: "POST", path: "/v1/functions/cloud-nobody/archive" },
  { method: "POST", path: "/v1/functions/cloud-nobody/unarchive" },
  { method: "GET", path: "/v1/functions/cloud-nobody/windows" },
  { method: "POST", path: "/v1/functions/cloud-nobody/windows/run", body: {} },
  { method: "GET", path: "/v1/environments" },
  { method: "PATCH", path: "/v1/environments/nobody", body: {} },
  { method: "GET", path: "/v1/keys/events" },
  { method: "DELETE", path: `/v1/keys/events/${RUN}` },
  { method: "GET", path: "/v1/keys/signing" },
  { method: "POST", path: "/v1/keys/signing/rotate", body: { phase: "create" } },
  { method: "GET", path: "/v1/keys/api" },
  { method: "DELETE", path: `/v1/keys/api/${RUN}` },
];
