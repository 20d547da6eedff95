/** Placeholder while the page is written. */
export function SqlPage() {
  return null;
}
