/**
 * Replies below HTTP, byte by byte: what a broken host, a proxy or an attacker writes to a connection. Owns the bytes; judges nothing.
 * Every script ends as soon as the engine has gone away.
 */
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { headersOf, type Reply } from "../../conformance/harness/scripted-app.ts";

/**
 * The head of a reply of an SDK, its empty line included; a header given here counts instead of the SDK's. The connection is not to be used
 * again: one that ends in the instant in which it is would be a lost call that no case asked for.
 */
export function head(status: number | string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ ...headersOf("v4"), connection: "close", ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `HTTP/1.1 ${status}\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** A chunk of a chunked body. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Writes all of it and ends the connection in good order. */
export function sends(...pieces: readonly (string | Uint8Array)[]): Reply {
  return {
    wire: (socket) => {
      for (const piece of pieces) socket.write(piece);
      socket.end();
    },
  };
}

/** Writes all of it, waits until it is on its way, and cuts the connection. */
export function breaksAfter(...pieces: readonly string[]): Reply {
  return { wire: (socket) => written(socket, pieces.join("")) };
}

/** Writes all of it and resets the connection, which loses what the engine has not read yet. */
export function resetsAfter(...pieces: readonly string[]): Reply {
  return {
    async wire(socket) {
      if (pieces.length > 0) {
        await written(socket, pieces.join(""));
        await sleep(50);
      }
      socket.resetAndDestroy();
    },
  };
}

/** Writes `first`, then says nothing more and keeps the connection open. */
export function stallsAfter(first: string): Reply {
  return {
    async wire(socket) {
      await written(socket, first);
      while (!socket.destroyed) await sleep(50);
    },
  };
}

/** Writes `first`, then `piece` again and again, every `everyMs`, until the engine has gone away. */
export function drips(first: string, piece: string, everyMs: number): Reply {
  return {
    async wire(socket) {
      await written(socket, first);
      while (!socket.destroyed) {
        await written(socket, piece);
        await sleep(everyMs);
      }
    },
  };
}

/** Writes the text in pieces of `bytes`, one every `everyMs`, and ends in good order. */
export function trickles(text: string, bytes: number, everyMs: number): Reply {
  const all = Buffer.from(text);
  return {
    async wire(socket) {
      for (let at = 0; at < all.byteLength && !socket.destroyed; at += bytes) {
        await written(socket, all.subarray(at, at + bytes));
        await sleep(everyMs);
      }
      socket.end();
    },
  };
}

/** Resolves when the bytes have been handed over, or never will be. */
export function written(socket: Socket, bytes: string | Uint8Array): Promise<void> {
  return new Promise((done) => {
    if (socket.destroyed) return done();
    socket.write(bytes, () => done());
  });
}
