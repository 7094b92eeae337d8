/**
 * A stored key in clear, as REST v1 shows it to whoever made it, or asked for it (API-20). Owns this form alone.
 */
import * as z from "zod";

/** The form. */
export const shownKey = z.object({ id: z.string(), key: z.string() });

/** The object. */
export function shownKeyJson({
  id,
  value,
}: {
  readonly id: string;
  readonly value: string;
}): z.output<typeof shownKey> {
  return { id, key: value };
}
