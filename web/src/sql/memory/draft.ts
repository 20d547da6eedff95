/** What is in the editor, kept while the tab is open: going to a board and back loses nothing. */
const KEY = 'tillwatch.sql.draft';

export function draft(): string {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

export function keepDraft(text: string): void {
  try {
    sessionStorage.setItem(KEY, text);
  } catch {
    // A browser that forbids storage begins with an empty editor.
  }
}
