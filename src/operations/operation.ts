/**
 * Operations from outside: beginning, reading, stopping (CR-9). Owns where an operation is asked for: its object while there is one, history
 * afterwards. Callers have run `ensureSchema`.
 */
import type { Bindings } from "../bindings.ts";
import type { OperationKind, OperationRequest, OperationState } from "../decide/operation/operation.ts";
import { findOperation, listOperations } from "../history/operations.ts";
import type { Listing, Page } from "../history/page.ts";
import { isUlid } from "../ids.ts";
import { operationStub } from "../objects.ts";

/** Begins an operation; resolves when it is durable. */
export async function beginOperation(bindings: Bindings, request: OperationRequest): Promise<OperationState> {
  return await operationStub(bindings, request.environmentId, request.id).begin(request);
}

/** An operation as it stands; null when none of this kind has the id. */
export async function readOperation(
  bindings: Bindings,
  environmentId: string,
  kind: OperationKind,
  id: string,
): Promise<OperationState | null> {
  if (!isUlid(id)) return null;
  const state = await operationStub(bindings, environmentId, id).view();
  return state?.request.kind === kind ? state : await findOperation(bindings.DB, environmentId, kind, id);
}

/** Stops an operation; null when none of this kind has the id. One that has ended stays as it is. */
export async function stopOperation(
  bindings: Bindings,
  environmentId: string,
  kind: OperationKind,
  id: string,
): Promise<OperationState | null> {
  const known = await readOperation(bindings, environmentId, kind, id);
  if (known?.status !== "running") return known;
  return (await operationStub(bindings, environmentId, id).stop()) ?? known;
}

/** The operations of a kind, newest first; those in progress as their objects see them. */
export async function readOperations(
  bindings: Bindings,
  environmentId: string,
  kind: OperationKind,
  page: Page,
): Promise<Listing<OperationState>> {
  const { items, nextCursor } = await listOperations(bindings.DB, environmentId, kind, page);
  const current = await Promise.all(
    items.map(async (item) => {
      if (item.status !== "running") return item;
      return (await operationStub(bindings, environmentId, item.request.id).view()) ?? item;
    }),
  );
  return { items: current, nextCursor };
}
