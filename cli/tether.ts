/**
 * Preloaded into the processes the launcher starts (`node --import`): ends them when the launcher is gone, however it went.
 * The launcher keeps the other end of standard input open for as long as it lives, and never writes to it.
 */
process.stdin.on("end", () => process.exit(0)).resume();
process.stdin.unref();
