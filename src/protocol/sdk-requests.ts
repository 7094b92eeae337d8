/**
 * What the SDK of an app may ask the engine during a call: to fetch the run's state (EX-16), to report steps while it goes on (EX-66). Pure.
 * Owns which SDKs cannot, so that no call relies on a request that would fail.
 */

/** What an SDK's own requests are good for. */
export interface SdkRequests {
  readonly canFetchState: boolean;
  readonly canCheckpoint: boolean;
}

/**
 * What the requests of an SDK are good for; `sdk` as an app registers it, `js:v4.24.0`. `isBranch`: the key of branches is that of all of them, so
 * a request has to say which one it is about (EV-22), and the SDK for JavaScript did not before 4.19.
 */
export function requestsOf(sdk: string, isBranch: boolean): SdkRequests {
  const finds = !isBranch || namesBranch(sdk);
  return { canFetchState: finds && !sdk.startsWith("go:"), canCheckpoint: finds };
}

function namesBranch(sdk: string): boolean {
  const [, major, minor] = /^js:v(\d+)\.(\d+)\./.exec(sdk) ?? [];
  if (major === undefined) return true;
  return Number(major) > 4 || (Number(major) === 4 && Number(minor) >= 19);
}
