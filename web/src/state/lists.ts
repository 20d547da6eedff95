/**
 * Lists of values in one parameter of an address: `adyen,stripe`. Values are data and may hold anything: a comma in one is
 * written `\,`, a backslash `\\`, and a value that is missing `\-`, which is not the empty one.
 */
export function writeList(values: readonly (string | null)[]): string {
  return values.map((value) => (value === null ? '\\-' : value.replaceAll(/[\\,]/g, '\\$&'))).join(',');
}

/** The values of a list; a text of nothing is the list of one empty value. */
export function readList(text: string): (string | null)[] {
  const values: (string | null)[] = [];
  let value = '';
  let isNone = false;
  const close = () => {
    values.push(isNone ? null : value);
    value = '';
    isNone = false;
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (sign === ',') close();
    else if (sign !== '\\') value += sign;
    else {
      at += 1;
      const escaped = text[at] ?? '';
      if (escaped === '-' && value === '') isNone = true;
      else value += escaped;
    }
  }
  close();
  return values;
}
