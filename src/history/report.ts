/**
 * From a run's report to a message of the history queue. Pure. Owns the choice between sending a report inline and by reference;
 * guarantees that no message exceeds what the queue takes, and that nothing is ever truncated.
 */
import { HISTORY } from "../limits.ts";
import { utf8Length } from "./bulk.ts";
import type { HistoryMessage, RunReport } from "./message.ts";

/** The message for a report: inline while its JSON stays below `HISTORY.messageBytes` (bytes of UTF-8), else by reference. */
export function historyMessage(report: RunReport): HistoryMessage {
  const message: HistoryMessage = { kind: "report", report };
  if (utf8Length(JSON.stringify(message)) < HISTORY.messageBytes) return message;
  return { kind: "reference", environmentId: report.run.environmentId, runId: report.run.runId };
}
