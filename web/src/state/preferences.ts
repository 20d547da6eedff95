import type { ZoneChoice } from '../format/time';
import { Store } from '../live/store';

/** What one reader chooses for this browser: kept in local storage, not in the URL that is shared. */
export type ThemeChoice = 'system' | 'light' | 'dark';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that forbids storage forgets the choice; the page works all the same.
  }
}

const storedTheme = read('tillwatch.theme');

export const themeStore = new Store<ThemeChoice>(
  storedTheme === 'light' || storedTheme === 'dark' ? storedTheme : 'system',
);
export const zoneStore = new Store<ZoneChoice>(read('tillwatch.zone') === 'utc' ? 'utc' : 'local');

const systemDark = matchMedia('(prefers-color-scheme: dark)');

function resolveTheme(): 'light' | 'dark' {
  const choice = themeStore.get();
  return choice === 'system' ? (systemDark.matches ? 'dark' : 'light') : choice;
}

/** What is on the screen: the choice, or what the system says now. The tokens hang on the root's `data-theme`. */
export const shownThemeStore = new Store<'light' | 'dark'>(resolveTheme());

function showTheme(): void {
  document.documentElement.dataset.theme = resolveTheme();
  shownThemeStore.set(resolveTheme());
}

systemDark.addEventListener('change', showTheme);

export function chooseTheme(choice: ThemeChoice): void {
  write('tillwatch.theme', choice);
  themeStore.set(choice);
  showTheme();
}

export function chooseZone(choice: ZoneChoice): void {
  write('tillwatch.zone', choice);
  zoneStore.set(choice);
}

export function storedLanguage(): string | null {
  return read('tillwatch.language');
}

export function storeLanguage(language: string): void {
  write('tillwatch.language', language);
}
