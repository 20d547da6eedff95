import { readList, writeList } from './lists';

/** Per dimension the values of which any will do. The empty one stands for none as well. */
export type Filters = Record<string, string[]>;

const WHERE = 'where.';

/** The filters of an address: `where.psp=adyen,stripe`. */
export function readFilters(texts: Iterable<readonly [string, unknown]>): Filters {
  const filters: Filters = {};
  for (const [key, text] of texts) {
    const dimension = key.startsWith(WHERE) ? key.slice(WHERE.length) : '';
    if (dimension === '' || typeof text !== 'string') continue;
    // Own properties only: no dimension of an address may reach what all objects have.
    Object.defineProperty(filters, dimension, {
      value: [...new Set(readList(text).map((value) => value ?? ''))],
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return filters;
}

/** The parameters that say filters; a dimension without values has none. */
export function writeFilters(filters: Readonly<Filters>): Record<`where.${string}`, string> {
  const texts: Record<`where.${string}`, string> = {};
  for (const [dimension, values] of Object.entries(filters))
    if (values.length > 0) texts[`${WHERE}${dimension}`] = writeList(values);
  return texts;
}
