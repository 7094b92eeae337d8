/**
 * Requests to environments and keys, as they should be, for tests that spoil them (SE-15).
 */
import type { Surface } from "./requests.ts";

const ULIDS = { id: ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "secret-1"] };
const NAMES = { name: ["nobody", "local", "00000000-0000-4000-b000-000000000000"] };
const FILTERS = '{"names":{"allow":["a/*"]},"ips":{"deny":["10.0.0.0/8"]},"origins":{"allow":["https://a.example"]}}';
const TIME = "2100-01-01T00:00:00Z";

/** Of which those that are accepted make keys. */
export const KEYS: readonly Surface[] = [
  { method: "POST", path: "/v1/environments", bodies: ['{"name":"another"}'] },
  { method: "PATCH", path: "/v1/environments/{name}", parts: NAMES, bodies: ['{"name":"a","auto_archive":true}'] },
  { method: "POST", path: "/v1/environments/{name}/archive", parts: NAMES, bodies: ["{}"] },
  { method: "GET", path: "/v1/environments/{name}", parts: NAMES },
  { method: "POST", path: "/v1/keys/events", bodies: [`{"name":"k","filters":${FILTERS}}`] },
  { method: "PATCH", path: "/v1/keys/events/{id}", parts: ULIDS, bodies: [`{"filters":${FILTERS},"disabled":true}`] },
  { method: "POST", path: "/v1/keys/events/{id}/reveal", parts: ULIDS, bodies: ["{}"] },
  { method: "DELETE", path: "/v1/keys/events/{id}", parts: ULIDS },
  { method: "POST", path: "/v1/keys/signing/rotate", bodies: ['{"phase":"create"}'] },
  {
    method: "POST",
    path: "/v1/keys/api",
    bodies: [`{"name":"k","scope":"read","origins":["https://a.example"],"expires_at":"${TIME}"}`],
  },
  { method: "DELETE", path: "/v1/keys/api/{id}", parts: ULIDS },
];
