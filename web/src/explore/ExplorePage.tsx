/** Placeholder while the page is written. */
export function ExplorePage() {
  return null;
}
