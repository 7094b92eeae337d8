/**
 * The consumer of the history queue: reports of runs become rows of D1, in bulk.
 * Owns when a message is acknowledged: after its rows are written and, for an ended run, after the run's object knows it.
 * Guarantees that a failure is retried and logged, never swallowed; should the queue lose the message all the same, the object of an
 * ended run reports again because nobody confirmed it (row 6).
 */
import type { Bindings } from "../bindings.ts";
import { countD1 } from "../counters.ts";
import { messageOf } from "../errors.ts";
import { HISTORY } from "../limits.ts";
import { discardedContribution } from "../metrics/contributions.ts";
import { countStatements } from "../metrics/statements.ts";
import { runStub } from "../objects.ts";
import type { DiscardedReply, HistoryMessage, RunReport } from "./message.ts";
import { projectionStatements } from "./projection.ts";
import { ensureSchema } from "./schema.ts";
import { isFinal } from "./status.ts";

/** A message of which the report is at hand. */
interface Delivery {
  readonly message: Message<HistoryMessage>;
  readonly report: RunReport;
}

/**
 * Handles one batch. Inline reports are written together. Reports by reference are large, so they are fetched and written one after
 * the other to bound memory; so are messages delivered before, so that one that cannot be written keeps no other from being recorded.
 */
export async function consumeHistory(batch: MessageBatch<HistoryMessage>, bindings: Bindings): Promise<void> {
  const together: Delivery[] = [];
  const alone: Message<HistoryMessage>[] = [];
  const discarded: Discard[] = [];
  for (const message of batch.messages) {
    const { body } = message;
    if (body.kind === "report" && message.attempts === 1) together.push({ message, report: body.report });
    else if (body.kind === "discarded") discarded.push({ message, reply: body.reply });
    else alone.push(message);
  }
  await record(together, bindings);
  for (const message of alone) {
    const report = await reportOf(message, bindings);
    if (report !== null) await record([{ message, report: repeated(report, message) }], bindings);
  }
  await count(discarded, bindings);
}

/** A discarded reply that a message tells of. */
interface Discard {
  readonly message: Message<HistoryMessage>;
  readonly reply: DiscardedReply;
}

/** The report with how often the queue had to deliver it again (OB-19). */
function repeated({ run, ...report }: RunReport, { attempts }: Message<HistoryMessage>): RunReport {
  return { ...report, run: attempts === 1 ? run : { ...run, repeats: (run.repeats ?? 0) + attempts - 1 } };
}

/** Counts discarded replies; settles every message. */
async function count(discarded: readonly Discard[], bindings: Bindings): Promise<void> {
  if (discarded.length === 0) return;
  try {
    await ensureSchema(bindings.DB);
    const contributions = discarded.map(({ reply }) => discardedContribution(reply));
    for (const { meta } of await bindings.DB.batch(countStatements(bindings.DB, contributions))) countD1(meta);
    for (const { message } of discarded) message.ack();
  } catch (error) {
    for (const { message } of discarded) retry(message, "a discarded reply could not be counted", error);
  }
}

/** The report a message carries or refers to. Null when there is nothing to write; the message is settled then. */
async function reportOf(message: Message<HistoryMessage>, bindings: Bindings): Promise<RunReport | null> {
  const { body } = message;
  switch (body.kind) {
    case "report":
      return body.report;
    case "reference":
      try {
        const report = await runStub(bindings, body.environmentId, body.runId).report();
        if (report !== null) return report;
        console.warn(`history: run ${body.runId} is gone and left no report`);
        message.ack();
      } catch (error) {
        retry(message, `the report of run ${body.runId} could not be fetched`, error);
      }
      return null;
    case "discarded":
      // Counted with the others of its batch.
      return null;
    default:
      // A newer version of the Worker may have sent it; ours cannot write it, and waiting would not change that.
      console.error(`history: message ${message.id} is of an unknown kind and was dropped: ${kindOf(body)}`);
      message.ack();
      return null;
  }
}

/** Writes reports in one transaction, then confirms the ended runs. Settles every message. */
async function record(deliveries: readonly Delivery[], bindings: Bindings): Promise<void> {
  if (deliveries.length === 0) return;
  try {
    await ensureSchema(bindings.DB);
    const reports = deliveries.map((delivery) => delivery.report);
    for (const { meta } of await bindings.DB.batch(statements(bindings.DB, reports))) countD1(meta);
  } catch (error) {
    for (const { message, report } of deliveries) retry(message, `run ${report.run.runId} could not be written`, error);
    return;
  }
  await Promise.all(deliveries.map((delivery) => confirm(delivery, bindings)));
}

function statements(db: D1Database, reports: readonly RunReport[]): D1PreparedStatement[] {
  const events = reports.flatMap(({ run, events }) =>
    events.map((stored) => ({ environmentId: run.environmentId, stored, routed: true, by: run })),
  );
  const runs = reports.map((report) => report.run);
  return projectionStatements(db, events, runs);
}

async function confirm({ message, report: { run } }: Delivery, bindings: Bindings): Promise<void> {
  try {
    if (isFinal(run.status)) await runStub(bindings, run.environmentId, run.runId).confirm(run.sequence);
    message.ack();
  } catch (error) {
    retry(message, `run ${run.runId} is written but could not be told so`, error);
  }
}

function retry(message: Message<HistoryMessage>, what: string, error: unknown): void {
  const { first, max } = HISTORY.retryDelay;
  const delaySeconds = Math.min(first * 2 ** (message.attempts - 1), max);
  console.error(`history: ${what} (delivery ${message.attempts}, again in ${delaySeconds} s): ${messageOf(error)}`);
  message.retry({ delaySeconds });
}

function kindOf(body: never): string {
  return String((body as { kind?: unknown }).kind);
}
