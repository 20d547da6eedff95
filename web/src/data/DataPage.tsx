/** Placeholder while the page is written. */
export function DataPage() {
  return null;
}
