/**
 * Metadata on runs and steps (EX-72, protocol/06 §6.10): what an SDK reports with its operations, and what
 * `POST /v1/runs/:id/metadata` takes. Owns the shapes; limits are the run's to enforce.
 */
import * as z from "zod";
import type { JsonObject } from "../json.ts";
import { anyJson } from "./any-json.ts";

/** One change of metadata. `stepId` null: it belongs to the run. */
export interface MetadataChange {
  readonly stepId: string | null;
  readonly kind: string;
  readonly op: "set" | "merge" | "delete";
  readonly values: JsonObject;
}

const change = z.looseObject({
  kind: z.string().min(1).max(255),
  scope: z.string().nullish(),
  op: z.enum(["set", "merge", "delete"]).default("merge"),
  values: z.record(z.string(), anyJson).nullish(),
});

/** The metadata that came with the operation of a step; entries that are malformed are left out, as unknown fields are. */
export function metadataOfOp(stepId: string, raw: unknown): readonly MetadataChange[] {
  if (!Array.isArray(raw)) return [];
  return raw.flatMap((entry) => {
    const { data } = change.safeParse(entry);
    if (data === undefined) return [];
    const { kind, scope, op, values } = data;
    return [{ stepId: scope === "run" ? null : stepId, kind, op, values: values ?? {} }];
  });
}

/** Kinds that only the SDK's own operations may write. Scores, experiments and warnings it also sends from outside a step. */
const RESERVED = /^inngest\.(?!(score|experiment|warnings)$)/;

/** What `POST /v1/runs/:id/metadata` takes. */
export const metadataBody = z.object({
  target: z.looseObject({ step_id: z.string().nullish() }).nullish(),
  metadata: z.array(change.refine(({ kind }) => !RESERVED.test(kind), "this kind is reserved")).min(1),
});

/** The body of `POST /v1/runs/:id/metadata`, or what is wrong with it. */
export function parseMetadata(
  body: unknown,
):
  | { readonly ok: true; readonly changes: readonly MetadataChange[] }
  | { readonly ok: false; readonly message: string } {
  const parsed = metadataBody.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { ok: false, message: `Malformed metadata at ${issue?.path.join(".") || "the body"}: ${issue?.message}` };
  }
  const stepId = parsed.data.target?.step_id ?? null;
  const changes = parsed.data.metadata.map(({ kind, op, values }) => ({ stepId, kind, op, values: values ?? {} }));
  return { ok: true, changes };
}
