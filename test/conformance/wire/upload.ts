/**
 * Uploads that are refused on the way. A server may close the connection under an upload, and then its answer is lost with everything
 * still under way; this client sends exactly what it is told and waits for the answer with nothing left in between.
 */
import { request } from "node:http";

/** Posts the pieces, does not say that there are no more, and resolves with the answer's parsed body. */
export function uploadWithoutEnd(
  url: string,
  headers: Readonly<Record<string, string>>,
  pieces: readonly Uint8Array[],
): Promise<unknown> {
  return new Promise((answered, fail) => {
    const upload = request(url, { method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => {
        upload.destroy();
        answered(JSON.parse(text));
      });
    });
    upload.on("error", fail);
    upload.flushHeaders();
    for (const piece of pieces) upload.write(piece);
  });
}
