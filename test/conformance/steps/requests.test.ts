/**
 * Steps that reach beyond the app: requests the engine makes, and events a run sends.
 */
import { conformance } from "../harness/cases.ts";
import { inference } from "./ai.ts";
import { fetches, refusedFetches } from "./fetch.ts";
import { sends } from "./sends.ts";

conformance("requests", [...fetches, ...inference, ...sends]);
conformance("requests to private addresses", refusedFetches, { bindings: { MILLRACE_ALLOW_PRIVATE_FETCH: "false" } });
