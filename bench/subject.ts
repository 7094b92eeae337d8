/** What a measurement needs of the thing it measures. */
import type { Shape } from "./app.ts";
import type { Ledger } from "./ledger.ts";

/** Sends the event that starts run `run`; resolves when it has been accepted. */
export type Send = (run: number) => Promise<void>;

/** Something that starts a run per event and calls an app for each step. */
export interface Subject<Runs extends Shape = Shape> {
  readonly ledger: Ledger;
  send(shape: Runs): Send;
  /** Process id of its workerd. */
  pid(): number;
  close(): Promise<void>;
}
