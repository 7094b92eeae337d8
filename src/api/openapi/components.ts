/**
 * Schemas of replies and requests as JSON Schema 2020-12, for an OpenAPI document. Owns the list of named schemas they share: one with an
 * `id` in its metadata is written once and referred to.
 */
import * as z from "zod";
import type { JsonObject } from "../../json.ts";

/** A JSON Schema. */
export type Schema = JsonObject;

/** The schemas of one document. */
export class Components {
  readonly #named = new Map<string, Schema>();

  /** Everything that was referred to so far, in the order of the names. */
  get named(): Readonly<Record<string, Schema>> {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /**
   * A schema as JSON. `input`: what is to be sent, otherwise what is answered. Fields that are not named may be there: they are ignored in
   * requests (SE-15), and replies may gain some.
   */
  schemaOf(type: z.ZodType, io: "input" | "output"): Schema {
    const made = z.toJSONSchema(type, {
      io,
      unrepresentable: "any",
      override: ({ jsonSchema }) => {
        if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    });
    // Plain data by construction; what is not JSON, such as an undefined field, is not kept.
    const { $schema: _dialect, $defs, ...schema } = JSON.parse(JSON.stringify(made)) as Record<string, JsonObject>;
    for (const [name, definition] of Object.entries($defs ?? {})) this.#define(name, definition as JsonObject);
    return referring(schema);
  }

  #define(name: string, definition: JsonObject): void {
    if (this.#named.has(name)) return;
    const { $schema: _dialect, id: _id, ...schema } = definition;
    this.#named.set(name, referring(schema));
  }
}

/** The same with references into the document's own list. */
function referring<Part>(part: Part): Part {
  const text = JSON.stringify(part, (key, value: unknown) =>
    key === "$ref" && typeof value === "string" ? value.replace("#/$defs/", "#/components/schemas/") : value,
  );
  return JSON.parse(text) as Part;
}
