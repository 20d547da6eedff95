/** Placeholder while the page is written. */
export function IncidentsPage() {
  return null;
}
