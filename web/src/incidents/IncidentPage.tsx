/** Placeholder while the page is written. */
export function IncidentPage() {
  return null;
}
