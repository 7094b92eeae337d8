/**
 * A call of v2, said once (API-22): where it is, what it takes, what it answers and how. Routes, the OpenAPI document, the catalogue and the
 * tools of MCP are all made of it. Owns the type, and how arguments are parsed; guarantees that a handler sees nothing that is not understood.
 */
import * as z from "zod";
import type { Bindings } from "../../bindings.ts";
import type { EnvironmentRef } from "../../environments/environment.ts";
import { EVENT } from "../../limits.ts";
import type { Settings } from "../../settings.ts";
import { type Caller, checkNeeds } from "../authentication.ts";
import { understood } from "../understood.ts";

/** Who asks, and for what environment. */
export interface Call {
  readonly bindings: Bindings;
  readonly environment: EnvironmentRef;
  readonly settings: Settings;
  /** What the key may do. */
  readonly caller: Pick<Caller, "scope" | "account">;
  readonly headers: Headers;
  /** What the engine was asked by. */
  readonly url: string;
  /** ms since 1970. */
  readonly now: number;
}

/** Where a list goes on. `cursor` is null at the end. */
export interface PageEnd {
  readonly cursor: string | null;
  readonly hasMore: boolean;
  readonly limit: number;
}

/** What a handler answers. */
interface Outcome<Data> {
  readonly data: Data;
  /** For lists. */
  readonly page?: PageEnd;
}

/** Arguments as they came: texts of path and query, JSON of the body; or all of them as JSON, from a tool. */
interface RawArguments {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** A call, ready to be mounted. */
export interface Operation {
  /** `listRuns`; the tool is `list_runs`. */
  readonly id: string;
  readonly method: "GET" | "POST" | "PATCH";
  /** Below the version's prefix: `/runs/:runId`. */
  readonly path: string;
  readonly summary: string;
  /** Needs no key. */
  readonly open: boolean;
  /** Path and query. */
  readonly parameters: z.ZodObject;
  /** Null: it takes none. */
  readonly body: z.ZodObject | null;
  /** Bytes of the body. */
  readonly bodyBytes: number;
  /** The whole reply. */
  readonly reply: z.ZodType;
  /** s; how long a reply may be kept. 0: not at all. */
  readonly cache: number;
  /** Throws `MillraceError`: `forbidden` when the key may not, `invalid_request` for arguments that are not understood. */
  answer(call: Call, raw: RawArguments): Promise<Outcome<unknown>>;
}

type Shape = z.ZodRawShape;
type None = Record<never, never>;
/** What a shape's fields are once parsed; the type of an object without any would forbid all others. */
type Fields<Of extends Shape> = keyof Of extends never ? unknown : z.output<z.ZodObject<Of>>;

/** An operation as its noun's file writes it. */
interface Spec<Parameters extends Shape, Body extends Shape, Data extends z.ZodType>
  extends Pick<Operation, "id" | "method" | "path" | "summary"> {
  readonly parameters?: Parameters;
  readonly body?: Body;
  readonly bodyBytes?: number;
  readonly data: Data;
  readonly paged?: true;
  readonly open?: true;
  /** Absent: any key, which has to be able to write where the method is not GET. */
  readonly needs?: "admin" | "account";
  readonly cache?: number;
  handler(
    call: Call,
    input: Fields<Parameters> & Fields<Body>,
  ): Promise<Outcome<z.output<Data>>> | Outcome<z.output<Data>>;
}

const metadataReply = z.object({ fetchedAt: z.iso.datetime(), cachedUntil: z.null() });

const pageReply = z.object({ cursor: z.string().nullable(), hasMore: z.boolean(), limit: z.int() });

/** Makes an operation. Parameters and fields of the body share one space of names, because tools have but one. */
export function operation<Data extends z.ZodType, Parameters extends Shape = None, Body extends Shape = None>(
  spec: Spec<Parameters, Body, Data>,
): Operation {
  const { id, method, path, summary, handler } = spec;
  const parameters = z.object(spec.parameters ?? ({} as Parameters));
  const body = z.object(spec.body ?? ({} as Body));
  const envelope = { data: spec.data, metadata: metadataReply };
  return {
    id,
    method,
    path,
    summary,
    open: spec.open ?? false,
    parameters,
    body: spec.body === undefined ? null : body,
    bodyBytes: spec.bodyBytes ?? EVENT.bytes.max,
    reply: spec.paged === true ? z.object({ ...envelope, page: pageReply }) : z.object(envelope),
    cache: spec.cache ?? 0,
    answer: async (call, raw) => {
      if (spec.needs !== undefined) checkNeeds(call.caller, spec.needs);
      const input = {
        ...understood(body, raw.body, "The body is"),
        ...understood(parameters, raw.parameters, "The request is"),
      };
      return await handler(call, input);
    },
  };
}

/** The end of a page of which the items are known, and where the next one begins. */
export function pageEnd(limit: number, cursor: string | null): PageEnd {
  return { cursor, hasMore: cursor !== null, limit };
}
