/**
 * The server's clock as seen from here. Durations such as “open for 4 min” are differences between a time of the server
 * and now, and a laptop that is two minutes off must not show them wrong.
 */
let offsetMs = 0;

/** Called with each time the server tells, at the moment it arrives. */
export function observeServerNow(serverMs: number, localMs: number = Date.now()): void {
  // Below this the difference is the network's, and following it would make clocks on the page jump.
  if (Math.abs(serverMs - localMs - offsetMs) > 1_500) offsetMs = serverMs - localMs;
}

/** The `Date` header of an answer; it counts whole seconds, so on average it is half a second behind. */
export function observeDateHeader(response: Response): void {
  const seconds = Date.parse(response.headers.get('date') ?? '');
  if (Number.isFinite(seconds)) observeServerNow(seconds + 500);
}

export function serverNow(localMs: number = Date.now()): number {
  return localMs + offsetMs;
}
