/**
 * The gates before a run through both SDKs: rate limit, idempotency, singleton, and the keys they are computed from (FC-19 … FC-23,
 * FC-30, FC-31, FC-37 … FC-43).
 */
import { conformance } from "../harness/cases.ts";
import { keys } from "./keys.ts";
import { rateLimits } from "./rate-limits.ts";
import { singletons } from "./singletons.ts";

conformance("gates", [...rateLimits, ...keys, ...singletons], { retryInterval: 3 });
