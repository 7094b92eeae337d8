/**
 * Which requests only ask: they need no key that may write (API-2), and count as reads (API-25). Owns what is asked with POST.
 */

const ASKED = /^\/v0\/gql$|^(?:\/v1|(?:\/api)?\/v2)\/insights\/query$/;

/** Whether a request changes nothing. What a mutation of GraphQL may do is judged with its document. */
export function isQuestion({ method, path }: { readonly method: string; readonly path: string }): boolean {
  return method === "GET" || method === "HEAD" || ASKED.test(path);
}
