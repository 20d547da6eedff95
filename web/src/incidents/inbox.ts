/** How the inbox was filtered last, so that the way back from an incident leads to the same list. */
let lastSearch: Record<string, string> = {};

export function rememberInbox(search: Record<string, string>): void {
  lastSearch = search;
}

export function inboxSearch(): Record<string, string> {
  return lastSearch;
}
