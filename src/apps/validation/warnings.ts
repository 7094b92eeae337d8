/**
 * What a registration is allowed to do but probably does not want (AP-16, FC-40). Owns the list; nothing here refuses anything.
 */
import { compileCached } from "../../expressions/cache.ts";
import type { FunctionConfiguration } from "../function.ts";
import type { NormalisedFunction } from "../normalise.ts";
import type { Warning } from "../violation.ts";
import { expressionsOf } from "./expressions.ts";

/** All warnings about the functions of one app. `unknown` are the fields that were left out of them. */
export function warningsOf(
  functions: readonly NormalisedFunction[],
  unknown: readonly { readonly functionId: string; readonly field: string }[],
): Warning[] {
  return [
    ...functions.flatMap(({ slug, configuration }) => [
      ...singletonWarnings(slug, configuration),
      ...batchWarnings(slug, configuration),
      ...expressionWarnings(slug, configuration),
    ]),
    ...sharedKeyWarnings(functions),
    ...unknown.map(({ functionId, field }) => ({
      functionId,
      option: field,
      message: "This option is unknown and ignored.",
    })),
  ];
}

function singletonWarnings(functionId: string, configuration: FunctionConfiguration): Warning[] {
  const limited = [...configuration.concurrency, ...configuration.runConcurrency].some(({ limit }) => limit > 0);
  if (configuration.singleton === null || !limited) return [];
  const message = "With concurrency besides, the limit still counts steps; parallel steps of the one run share it.";
  return [{ functionId, option: "singleton", message }];
}

function batchWarnings(functionId: string, { batchEvents, concurrency }: FunctionConfiguration): Warning[] {
  if (batchEvents === null) return [];
  return concurrency.flatMap(({ key }) => {
    if (key === null || key.trim() === batchEvents.key?.trim()) return [];
    const compiled = compileCached(key, "key");
    if (!compiled.ok || compiled.expression.constant) return [];
    const message =
      "With batchEvents, this key looks at the first event only; it should be constant or equal to batchEvents.key.";
    return [{ functionId, option: "concurrency.key", message }];
  });
}

function expressionWarnings(functionId: string, configuration: FunctionConfiguration): Warning[] {
  return expressionsOf(configuration).flatMap(({ option, source, place }) => {
    const compiled = compileCached(source, place);
    return compiled.ok ? compiled.expression.warnings.map((message) => ({ functionId, option, message })) : [];
  });
}

/** Functions of the app that share a limit's key but not its number: each compares the shared count with its own (FC-7). */
function sharedKeyWarnings(functions: readonly NormalisedFunction[]): Warning[] {
  const shared = new Map<string, { readonly slug: string; readonly limit: number }[]>();
  for (const { slug, configuration } of functions) {
    for (const { scope, key, limit } of configuration.concurrency) {
      if (scope === "fn" || key === null) continue;
      const name = `${scope} ${key.trim()}`;
      shared.set(name, [...(shared.get(name) ?? []), { slug, limit }]);
    }
  }
  return [...shared.values()].flatMap((users) => {
    return users.flatMap(({ slug, limit }) => {
      const others = users.filter((other) => other.slug !== slug && other.limit !== limit);
      if (others.length === 0) return [];
      const list = others.map((other) => `${other.slug} (${other.limit})`).join(", ");
      const message = `The limit is ${limit} here but differs in functions with the same key: ${list}.`;
      return [{ functionId: slug, option: "concurrency.limit", message }];
    });
  });
}
