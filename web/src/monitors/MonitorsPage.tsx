/** Placeholder while the page is written. */
export function MonitorsPage() {
  return null;
}
