/** The call that ends a silence; who ends it is told where this browser knows a name. */
export function silencePath(id: number, author: string): string {
  const by = author.trim();
  return `/v1/silences/${id}${by ? `?by=${encodeURIComponent(by)}` : ''}`;
}
