/**
 * The body of a send: from bytes to the texts of its events. Owns the limits that protect the parser: size while streaming, number
 * and depth before anything is parsed (EV-2, EV-5). Says nothing about what an event may contain.
 */
import { MillraceError } from "../errors.ts";
import { EVENT } from "../limits.ts";

/**
 * Reads a body as UTF-8 text. Throws `request_too_large` as soon as more than `limit` bytes are announced or have arrived,
 * `body_invalid` when the bytes are not UTF-8, or end before they should. A byte order mark is dropped, unless the text has to be what was
 * signed (EV-33): `keepMark`.
 */
export async function readBody(
  request: Request,
  limit: number,
  { keepMark }: { readonly keepMark: boolean } = { keepMark: false },
): Promise<string> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > limit) throw tooLarge(announced, limit);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: keepMark });
  // A body of announced length cannot be longer, and reading it whole is cheaper than in pieces.
  if (announced !== null) {
    const bytes = await unbroken(() => request.arrayBuffer());
    // Whoever forwards a request inside the platform may announce something else than it sends.
    if (bytes.byteLength > limit) throw tooLarge(String(bytes.byteLength), limit);
    return decode(decoder, new Uint8Array(bytes)) + decode(decoder, null);
  }
  const reader = request.body?.getReader();
  let text = "";
  let size = 0;
  while (reader !== undefined) {
    const { done, value } = await unbroken(() => reader.read());
    if (done) break;
    size += value.byteLength;
    if (size > limit) {
      await reader.cancel();
      throw tooLarge(`more than ${limit}`, limit);
    }
    text += decode(decoder, value);
  }
  return text + decode(decoder, null);
}

/** Reads from a sender, who may hang up or break its own framing. Throws `body_invalid` then: it is no fault of the engine. */
export async function unbroken<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new MillraceError("body_invalid", "The request body ended before its end.", { cause });
  }
}

/** Decodes the next bytes, or with null what is left at the end. */
function decode(decoder: TextDecoder, bytes: Uint8Array | null): string {
  try {
    return bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw new MillraceError("body_invalid", "The request body is not UTF-8 text.");
  }
}

function tooLarge(size: string, limit: number): MillraceError {
  return new MillraceError("request_too_large", `The request body has ${size} bytes; the limit is ${limit} bytes.`);
}

const OBJECT = "{";
const ARRAY = "[";
const BLANK = " \t\n\r";

/**
 * The JSON texts of the events in a body, in order. The first token decides whether it is one event or an array, whatever the
 * content type says. Throws `body_invalid`, `too_many_events`, or `event_invalid` when an event is nested too deep.
 * Each text is a single JSON value or broken JSON, never two values: that is for whoever parses it to find out.
 */
export function splitEvents(body: string): string[] {
  const start = skipBlanks(body, 0);
  if (body[start] === OBJECT) {
    const end = endOfValue(body, start, 0);
    if (skipBlanks(body, end) < body.length) throw broken("there is text after the event");
    return [body.slice(start, end)];
  }
  if (body[start] !== ARRAY) {
    throw new MillraceError("body_invalid", "Request body must contain an event object or an array of event objects.");
  }
  const texts: string[] = [];
  let count = 0;
  let at = skipBlanks(body, start + 1);
  let more = body[at] !== "]";
  while (more) {
    const end = endOfValue(body, at, count);
    // Past the limit events are only counted, so that the message can tell how many there are.
    if (count < EVENT.perRequest) texts.push(body.slice(at, end));
    at = skipBlanks(body, end);
    more = body[at] === ",";
    if (!more && body[at] !== "]") throw broken(`the array does not go on after event ${count}`);
    if (more) at = skipBlanks(body, at + 1);
    count++;
  }
  if (skipBlanks(body, at + 1) < body.length) throw broken("there is text after the array");
  if (count > EVENT.perRequest) {
    throw new MillraceError(
      "too_many_events",
      `The request has ${count} events; the limit is ${EVENT.perRequest} events.`,
    );
  }
  return texts;
}

function broken(reason: string): MillraceError {
  return new MillraceError("body_invalid", `The request body is not valid JSON: ${reason}.`);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && BLANK.includes(text.charAt(at))) at++;
  return at;
}

const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** Where the value that begins at `start` ends: the comma or closing bracket after it, or the end of the text. */
function endOfValue(text: string, start: number, index: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) inString = false;
      continue;
    }
    switch (code) {
      case QUOTE:
        inString = true;
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > EVENT.depth) {
          throw new MillraceError("event_invalid", `Event ${index} is nested deeper than ${EVENT.depth} levels.`);
        }
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
        break;
      case COMMA:
        if (depth === 0) return at;
        break;
    }
  }
  return text.length;
}
