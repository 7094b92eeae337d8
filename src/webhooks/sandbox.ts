/**
 * Runs a user's transform (EV-30) where it can reach nothing and harm nobody (SE-16): in QuickJS, in a runtime of its own that is thrown away
 * afterwards. Values cross the border as JSON texts. Guarantees that whatever the source does ends, within the limits, as a result or a
 * {@link TransformFailure}, and that the next transform notices nothing of it.
 */
import { utf8Length } from "../history/bulk.ts";
import type { Json } from "../json.ts";
import { WEBHOOK } from "../limits.ts";
import { Execution, Failed } from "./execution.ts";
import { type TransformFailure, transformFailure } from "./failure.ts";
import { discardInterpreter, FULL, type Interpreter, withInterpreter } from "./interpreter.ts";

/** What a transform is called with (EV-30). */
export interface TransformArguments {
  /** The parsed body; null when it could not be parsed. */
  readonly evt: Json;
  /** By canonical name; the transform finds them in any case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly queryParams: Readonly<Record<string, readonly string[]>>;
  /** The body, unchanged. */
  readonly raw: string;
}

/** What became of a transform: what it returned, as JSON, null when that is null or undefined; or why it failed. */
export type TransformResult =
  | { readonly ok: true; readonly returned: string | null }
  | { readonly ok: false; readonly failure: TransformFailure };

/**
 * Calls the transform that `source` defines: a function named `transform`, or else the function the source evaluates to. A promise is
 * awaited as far as it settles by itself. Throws only when the interpreter cannot be loaded, or is broken by itself.
 */
export async function runTransform(source: string, args: TransformArguments): Promise<TransformResult> {
  const text = JSON.stringify([args.evt, args.headers, args.queryParams, args.raw]);
  const refused = sourceFailure(source) ?? argumentsFailure(text);
  if (refused !== null) return { ok: false, failure: refused };
  return await withInterpreter((interpreter) => execute(interpreter, source, text));
}

/** Why a source cannot be a transform, before anybody runs it; null when it may be one. */
export function sourceFailure(source: string): TransformFailure | null {
  const bytes = utf8Length(source);
  if (bytes <= WEBHOOK.sourceBytes) return null;
  return transformFailure(
    "SourceTooLarge",
    `The transform's source has ${bytes} bytes; the limit is ${WEBHOOK.sourceBytes} bytes.`,
  );
}

function argumentsFailure(text: string): TransformFailure | null {
  const bytes = utf8Length(text);
  if (bytes <= WEBHOOK.argumentBytes) return null;
  return transformFailure(
    "MemoryLimitExceeded",
    `The transform's arguments have ${bytes} bytes; the limit is ${WEBHOOK.argumentBytes} bytes.`,
  );
}

function execute({ quickjs, newScope, fuel, memory }: Interpreter, source: string, text: string): TransformResult {
  let interrupted = false;
  try {
    fuel.value = FULL;
    const scope = newScope();
    const runtime = scope.manage(
      quickjs.newRuntime({
        maxStackSizeBytes: WEBHOOK.stack,
        interruptHandler: () => {
          interrupted ||= fuel.value < WEBHOOK.reserve;
          return interrupted;
        },
      }),
    );
    const execution = new Execution(scope, runtime.newContext(), memory);
    const result = outcome(() => {
      execution.accept(text);
      fuel.value = WEBHOOK.fuel + WEBHOOK.reserve;
      return execution.perform(source);
    });
    if (memory.refused) {
      // Without memory the interpreter leaves things half done, and finds so when it is told to clean up.
      discardInterpreter();
    } else {
      fuel.value = FULL;
      scope.dispose();
      // Memory that has grown never shrinks.
      if (memory.bytes > WEBHOOK.room.transform) discardInterpreter();
    }
    // Even if it caught what stopped it, and came to a result.
    if (interrupted) return { ok: false, failure: outOfTime(result.ok ? "" : framesOf(result.failure)) };
    return result.ok ? result : { ok: false, failure: named(result.failure, memory.refused) };
  } catch (error) {
    // Wherever it was stopped, nothing of the instance can be relied on.
    discardInterpreter();
    return { ok: false, failure: stopped(error, fuel.value) };
  }
}

function outcome(perform: () => string): TransformResult {
  try {
    const json = perform();
    return { ok: true, returned: json === "null" ? null : json };
  } catch (error) {
    if (error instanceof Failed) return { ok: false, failure: error.failure };
    throw error;
  }
}

/** The interpreter's own words for a limit say neither which nor how much. `starved`: it was denied memory. */
function named(failure: TransformFailure, starved: boolean): TransformFailure {
  // It throws null when there is no room even for an error, and drops jobs of promises that cannot go on.
  if (starved && (failure.message === "null" || failure.name === "NeverSettled")) return outOfMemory();
  if (failure.name !== "InternalError") return failure;
  if (failure.message === "out of memory") return outOfMemory(framesOf(failure));
  if (failure.message === "stack overflow") return tooDeep(framesOf(failure));
  return failure;
}

function framesOf({ name, message, stack }: TransformFailure): string {
  return stack.slice(`${name}: ${message}\n`.length);
}

/** Why the instance itself came to a halt, which leaves no stack of the transform. Throws what is not of its making. */
function stopped(error: unknown, fuel: number): TransformFailure {
  if (fuel < 0) return outOfTime();
  if (error instanceof RangeError) return tooDeep();
  if (error instanceof WebAssembly.RuntimeError) {
    return transformFailure("InternalError", `The transform broke the interpreter: ${error.message}`);
  }
  throw error;
}

function outOfTime(frames = ""): TransformFailure {
  return transformFailure("TimeLimitExceeded", `The transform computes for more than ${WEBHOOK.time} ms.`, frames);
}

function outOfMemory(frames = ""): TransformFailure {
  return transformFailure(
    "MemoryLimitExceeded",
    `The transform needs more than ${WEBHOOK.memory} bytes of memory.`,
    frames,
  );
}

function tooDeep(frames = ""): TransformFailure {
  return transformFailure("StackOverflow", "The transform's calls are nested too deep.", frames);
}
