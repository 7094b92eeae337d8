/**
 * A client made of an OpenAPI document and of nothing else (API-24): it calls operations by their ids, and holds every reply against the
 * document. Guarantees that a field which the document does not name fails the test, as a missing one does.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import * as z from "zod";
import type { Answer, TestEngine } from "../harness/engine.ts";

const parameter = z.object({ name: z.string(), in: z.enum(["path", "query"]), required: z.boolean() });

const operation = z.looseObject({
  operationId: z.string(),
  parameters: z.array(parameter),
  responses: z.record(z.string(), z.looseObject({ content: z.record(z.string(), z.unknown()).optional() })),
});

const document = z.looseObject({
  openapi: z.literal("3.1.0"),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});

/** What a call is made with: parameters of path and query by name, and the body. */
export interface Arguments {
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client of one version. */
export interface ContractClient {
  /** Ids of all operations. */
  readonly ids: readonly string[];
  /** Operations and statuses that were seen: `getRun 200`. */
  readonly seen: ReadonlySet<string>;
  /** Calls an operation; throws when its reply is not of the status, or not as the document says. */
  call(id: string, args?: Arguments, status?: number): Promise<Answer["json"]>;
}

/** The client of the document at this path. */
export async function contractClient(engine: Pick<TestEngine, "api">, path: string): Promise<ContractClient> {
  const { paths, ...rest } = document.parse((await engine.api("GET", path)).json);
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { "date-time": isTime } });
  ajv.addSchema(closed({ ...rest, paths }) as object, "api");
  const operations = new Map(
    Object.entries(paths).flatMap(([template, entry]) =>
      Object.entries(entry).map(([method, one]) => [one.operationId, { template, method, one }] as const),
    ),
  );
  const seen = new Set<string>();

  const check = (id: string, answer: Answer): void => {
    const { template, method, one } = found(operations.get(id), id);
    const status = String(answer.status) in one.responses ? String(answer.status) : "default";
    const { content } = one.responses[status] ?? {};
    seen.add(`${id} ${answer.status}`);
    if (content === undefined) {
      if (answer.text !== "") throw new Error(`${id} answers ${answer.status} with a body that is not described`);
      return;
    }
    if (!("application/json" in content)) return;
    const at = ["paths", template, method, "responses", status, "content", "application/json", "schema"];
    const pointer = at.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
    const validate = found(ajv.getSchema(`api#/${encodeURI(pointer)}`), pointer);
    if (validate(answer.json)) return;
    const faults = (validate.errors ?? []).map(({ instancePath, message, params }) => {
      return `${instancePath || "/"} ${message} ${JSON.stringify(params)}`;
    });
    throw new Error(`${id} answers ${answer.status} not as described: ${faults.join("; ")}\n${answer.text}`);
  };

  return {
    ids: [...operations.keys()],
    seen,
    async call(id, { parameters = {}, body, headers } = {}, status = 200) {
      const { template, method, one } = found(operations.get(id), id);
      const given = new Map(Object.entries(parameters));
      const query = new URLSearchParams();
      let filled = template;
      for (const { name, in: where, required } of one.parameters) {
        const value = given.get(name);
        if (value === undefined && required) throw new Error(`${id} needs ${name}`);
        if (value === undefined) continue;
        given.delete(name);
        if (where === "query") query.set(name, String(value));
        else filled = filled.replace(`{${name}}`, encodeURIComponent(String(value)));
      }
      if (given.size > 0) throw new Error(`${id} takes no ${[...given.keys()].join(", ")}`);
      const search = query.size === 0 ? "" : `?${query}`;
      const answer = await engine.api(method.toUpperCase(), `${filled}${search}`, body, headers);
      check(id, answer);
      if (answer.status !== status) throw new Error(`${id} answered ${answer.status}: ${answer.text}`);
      return answer.json;
    },
  };
}

/** The same schema, in which objects that name their fields have no others. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== "object" || part === null) return part;
  const inside = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, closed(value)]));
  const isObject = "properties" in inside && inside["type"] === "object" && !("additionalProperties" in inside);
  return isObject ? { ...inside, additionalProperties: false } : inside;
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text);
}

function found<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`The document has no ${what}`);
  return value;
}
