/**
 * What apps and hosts may answer besides the usual, and what becomes of it.
 */
import { runTable } from "../case.ts";
import { BAD_REPLIES, CALL_TIMEOUT, SLOW_REPLIES } from "./bad.ts";
import { HOSTS, LATE, REDIRECTED, STRAY } from "./odd.ts";
import { STREAMED } from "./streamed.ts";

runTable("replies", [...STRAY, ...HOSTS, ...STREAMED, ...REDIRECTED, ...BAD_REPLIES], { waitMs: 30_000 });

// With an engine of their own: a short deadline and many runs at once do not go together.
runTable("replies and the deadline", [...LATE, ...SLOW_REPLIES], {
  bindings: { MILLRACE_CALL_TIMEOUT: `${CALL_TIMEOUT}ms` },
  waitMs: 30_000,
});
