/**
 * A deletion on request (OB-25): what is asked for, and what of that stays known. Pure.
 * Guarantees that nothing by which a person could be recognised outlives the deletion: of an external id or an expression only its kind is left.
 */

/** What is deleted. */
export type DeletionTarget =
  | { readonly by: "run"; readonly runId: string }
  /** By internal id, whatever id it was asked for by: a sender's may say who is meant. */
  | { readonly by: "event"; readonly eventId: string }
  /** Events of which an expression is true; null when the deletion is over. */
  | { readonly by: "external_id" | "expression"; readonly source: string | null };

/** A deletion as it is asked for. Times are ms since 1970. */
export interface DeleteRequest {
  readonly kind: "delete";
  /** ULID. */
  readonly id: string;
  readonly environmentId: string;
  readonly target: DeletionTarget;
  /** Events received from here on; null: from the beginning of history. */
  readonly after: number | null;
  /** Events received before this. Those received later than the deletion was asked for are never meant. */
  readonly before: number;
  /** Runs that have not ended are cancelled; otherwise they are left, with the events that started them. */
  readonly cancels: boolean;
  readonly createdAt: number;
}

/** Whether history has to be passed over until it knows everything: one run or event is known by its id. */
export function searches({ target }: DeleteRequest): boolean {
  return target.by === "external_id" || target.by === "expression";
}

/** The request without what it was looking for. */
export function withoutWords(request: DeleteRequest): DeleteRequest {
  const { target } = request;
  if (target.by !== "external_id" && target.by !== "expression") return request;
  return { ...request, target: { by: target.by, source: null } };
}

/** The expression for everything of one user: events whose `user.external_id` is this text, or the number it writes. */
export function ofUser(externalId: string): string {
  const text = `event.user.external_id == ${JSON.stringify(externalId)}`;
  return /^(?:0|-?[1-9]\d{0,14})$/.test(externalId) ? `${text} || event.user.external_id == ${externalId}` : text;
}
