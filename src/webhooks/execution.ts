/**
 * One transform inside one context of the interpreter: bringing in its arguments, defining it, calling it, waiting for its promise, reading
 * what it threw. Owns the order of these steps, and the memory that each may take. Takes nothing out of the sandbox but texts; the limit of time
 * and the end of the context are its caller's.
 */
import type { QuickJSContext, QuickJSHandle, Scope } from "quickjs-emscripten-core";
import * as z from "zod";
import { WEBHOOK } from "../limits.ts";
import { type TransformFailure, transformFailure } from "./failure.ts";
import type { BoundedMemory } from "./interpreter.ts";
import { FILES, PRELUDE } from "./prelude.ts";

/** Carries a failure of the transform to whoever had it run. */
export class Failed extends Error {
  override readonly name = "Failed";
  readonly failure: TransformFailure;
  constructor(failure: TransformFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

const { room } = WEBHOOK;

type CallResult = ReturnType<QuickJSContext["evalCode"]>;

/** A context and what is needed in it. */
export class Execution {
  readonly #scope: Scope;
  readonly #context: QuickJSContext;
  readonly #prelude: QuickJSHandle;
  readonly #memory: BoundedMemory;

  /** `scope` already manages the context's runtime; the context and all that is taken from it are added. */
  constructor(scope: Scope, context: QuickJSContext, memory: BoundedMemory) {
    this.#scope = scope;
    this.#context = scope.manage(context);
    this.#memory = memory;
    memory.limit = room.crossing;
    this.#prelude = this.#unwrap(context.evalCode(PRELUDE, FILES.prelude, { type: "global" }));
  }

  /** Brings in the transform's arguments, which are the text of a JSON array. Throws {@link Failed} when there is no room for them. */
  accept(text: string): void {
    this.#memory.limit = room.crossing;
    const handle = this.#context.newString(text);
    const accepted = this.#call("accept", handle);
    // Once it is parsed nobody needs the text any more.
    handle.dispose();
    this.#unwrap(accepted);
  }

  /** What the transform returned, as JSON. Throws {@link Failed}. */
  perform(source: string): string {
    this.#memory.limit = room.transform;
    const promise = this.#unwrap(this.#call("run", this.#define(source)));
    for (;;) {
      const state = this.#context.getPromiseState(promise);
      switch (state.type) {
        case "fulfilled":
          return this.#textOf(this.#scope.manage(state.value));
        case "rejected":
          throw new Failed(this.#failure(this.#scope.manage(state.error)));
        case "pending":
          this.#turn();
      }
    }
  }

  /** The function that a source defines: by its name, or as its value. */
  #define(source: string): QuickJSHandle {
    const value = this.#evaluate(source);
    const named = this.#evaluate('typeof transform === "function" ? transform : undefined');
    const found = [named, value].find((handle) => this.#context.typeof(handle) === "function");
    if (found !== undefined) return found;
    throw new Failed(transformFailure("TypeError", "The source defines no function transform."));
  }

  #evaluate(source: string): QuickJSHandle {
    return this.#unwrap(this.#context.evalCode(source, FILES.transform, { type: "global" }));
  }

  /** Lets promises go on for a bit. Throws {@link Failed} when there is none that could. */
  #turn(): void {
    const { runtime } = this.#context;
    if (!runtime.hasPendingJob()) {
      throw new Failed(transformFailure("NeverSettled", "The transform returned a promise that never settles."));
    }
    const result = runtime.executePendingJobs(WEBHOOK.jobs);
    if (result.error !== undefined) throw new Failed(this.#failure(this.#scope.manage(result.error)));
  }

  #call(name: "accept" | "run" | "describe", argument: QuickJSHandle): CallResult {
    return this.#context
      .getProp(this.#prelude, name)
      .consume((called) => this.#context.callFunction(called, this.#context.undefined, argument));
  }

  #unwrap(result: CallResult): QuickJSHandle {
    if (result.error !== undefined) throw new Failed(this.#failure(this.#scope.manage(result.error)));
    const handle = this.#scope.manage(result.value);
    // No room even for the few bytes by which we would hold the value.
    if (Number(handle.value) === 0) throw new Failed(NO_ROOM);
    return handle;
  }

  /** A text of the sandbox, none of which is empty. */
  #textOf(handle: QuickJSHandle): string {
    this.#memory.limit = room.crossing;
    const text = this.#context.getString(handle);
    if (text === "") throw new Failed(NO_ROOM);
    return text;
  }

  /** What `thrown` says of itself. */
  #failure(thrown: QuickJSHandle): TransformFailure {
    this.#memory.limit = room.telling;
    const described = this.#call("describe", thrown);
    const handle = this.#scope.manage(described.error ?? described.value);
    if (described.error !== undefined) return NO_ROOM;
    const { name, message, stack } = description.parse(JSON.parse(this.#textOf(handle)));
    return transformFailure(name, message, withoutPrelude(stack));
  }
}

/** As the interpreter itself says it. */
const NO_ROOM = transformFailure("InternalError", "out of memory");

const description = z.object({ name: z.string(), message: z.string(), stack: z.string() });

/** The frames of the transform itself. */
function withoutPrelude(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => !line.includes(`(${FILES.prelude}`))
    .join("\n");
}
