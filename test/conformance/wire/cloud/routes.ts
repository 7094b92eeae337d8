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
  { method: "POST", path: `/v1/runs/${RUN}/metadata`, body: {} },
  { method: "POST", path: `/v1/checkpoint/${RUN}/async`, body: {} },
  { method: "POST", path: `/v1/http/runs/${RUN}/async`, body: {} },
  { method: "POST", path: "/v1/signals", body: { signal: "nobody" } },
  { method: "GET", path: "/v1/apps" },
  { method: "POST", path: "/v1/apps", body: {} },
  { method: "GET", path: "/v1/apps/cloud/functions" },
];
