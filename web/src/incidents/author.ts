const KEY = 'tillwatch.author';

/** Who acts, as this browser was told last. The server knows tokens and no people, so people say who they are. */
export function storedAuthor(): string {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

export function storeAuthor(name: string): void {
  try {
    if (name.trim()) localStorage.setItem(KEY, name.trim());
    else localStorage.removeItem(KEY);
  } catch {
    // A browser that forbids storage asks again next time.
  }
}
