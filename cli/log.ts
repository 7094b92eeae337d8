/** The launcher's own lines on the terminal. Owns their form and nothing else. */

/** Prints `text` with the time and who says it; a text of several lines stays one entry. */
export function log(source: "engine" | "apps" | "quickstart", text: string): void {
  const time = new Date().toTimeString().slice(0, 8);
  console.log(`${time} ${source.padEnd(10)} ${text.trimEnd().replaceAll("\n", `\n${" ".repeat(20)}`)}`);
}
