/**
 * Makes `src/webhooks/quickjs.wasm`: the QuickJS of the npm package, with a meter built in. `node .ci/quickjs.ts` after an upgrade of the package.
 *
 * The interpreter's own interrupts come once per ten thousand calls and jumps of JavaScript, and never inside of a built-in function:
 * `[].indexOf.call({ length: 2 ** 53 })` would hold the isolate for ever, and no clock of the platform moves meanwhile. In the metered
 * module every loop and every function of the WebAssembly itself uses up fuel, and without fuel it traps. So each piece of work ends, and
 * where it ends does not depend on the machine.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { meter } from "./quickjs/meter.ts";

const FROM = createRequire(import.meta.url).resolve("@jitl/quickjs-wasmfile-release-sync/wasm");
const TO = resolve(import.meta.dirname, "../src/webhooks/quickjs.wasm");

const metered = meter(readFileSync(FROM));
writeFileSync(TO, metered);
console.log(`${TO}: ${metered.byteLength} bytes`);
