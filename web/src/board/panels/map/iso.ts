import codes from 'i18n-iso-countries/codes.json';

/** ISO 3166-1: alpha-2 by the three digits that geometry is named by. */
const byDigits = new Map<string, string>();
const known = new Set<string>();
for (const [alpha2, , digits] of codes) {
  if (alpha2 === undefined || digits === undefined) continue;
  byDigits.set(digits.padStart(3, '0'), alpha2);
  known.add(alpha2);
}
// No code of the standard, but the one that is in use.
known.add('XK');

/** Names of the geometry that have no digits in the standard. */
const byName: Readonly<Record<string, string>> = { Kosovo: 'XK' };

/** The alpha-2 code of a shape; null for what has none. */
export function codeOfShape(digits: string | number | undefined, name: string | undefined): string | null {
  if (digits !== undefined) return byDigits.get(String(digits).padStart(3, '0')) ?? null;
  return name !== undefined && Object.hasOwn(byName, name) ? (byName[name] ?? null) : null;
}

/** A value of data as an alpha-2 code, whatever its case; null for what is none. */
export function countryCode(value: string | null): string | null {
  const code = (value ?? '').trim().toUpperCase();
  return known.has(code) ? code : null;
}

/** The name of a country in the reader's language. */
export function countryName(code: string, locale: string): string {
  return new Intl.DisplayNames(locale, { type: 'region', fallback: 'code' }).of(code) ?? code;
}
