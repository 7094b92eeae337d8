/**
 * Environments and keys, on an engine in cloud mode of their own.
 */
import { conformance } from "../harness/cases.ts";
import { environments } from "./environments.ts";

conformance("Environments and keys", environments, {
  bindings: {
    MILLRACE_MODE: "cloud",
    MILLRACE_ALLOW_PRIVATE_APPS: "1",
    MILLRACE_SECRET: "5e".repeat(32),
    INNGEST_SIGNING_KEY: `signkey-test-${"00112233".repeat(8)}`,
    INNGEST_EVENT_KEY: "the-event-key",
    MILLRACE_READS_PER_MINUTE: "100000",
    MILLRACE_WRITES_PER_MINUTE: "100000",
  },
});
