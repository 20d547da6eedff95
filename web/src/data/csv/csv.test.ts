import { describe, expect, it } from 'vitest';
import { contentTypeOf, lookAt, shownRows } from './look';
import { FileParts } from './parts';
import { countLines, cutRows, previewRows, rowEnd } from './records';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);
const COMMA = 0x2c;

/** The rows of a file one by one, as the server cuts them. */
function rowsOf(data: Uint8Array, rowBytesMax?: number): string[] {
  const rows: string[] = [];
  for (let at = 0; at < data.length; ) {
    const end = rowEnd(data, at, COMMA, true, rowBytesMax) ?? data.length;
    rows.push(text(data.subarray(at, end)));
    at = end;
  }
  return rows;
}

describe('rows', () => {
  it('end at line ends outside of quotes', () => {
    for (const [file, rows] of [
      ['a,b\nc,d\n', ['a,b\n', 'c,d\n']],
      ['a,"b\nc"\nd\n', ['a,"b\nc"\n', 'd\n']],
      ['a,"say ""hi""\n"\n', ['a,"say ""hi""\n"\n']],
      ['5" pipe,1\nx,2\n', ['5" pipe,1\n', 'x,2\n']],
      ['a\r\nb\r\n', ['a\r\n', 'b\r\n']],
      ['a\nb', ['a\n', 'b']],
      ['"a"b\n"c"\n', ['"a"b\n', '"c"\n']],
    ] as const)
      expect(rowsOf(bytes(file)), file).toEqual(rows);
  });

  it('lose only the line whose quote is never closed', () => {
    const file = bytes(`a,"oops\n${'1,2\n'.repeat(50)}`);
    expect(rowsOf(file, 40)[0]).toBe('a,"oops\n');
    expect(rowsOf(file, 40)).toHaveLength(51);
    expect(rowsOf(bytes('x,"y\nz'))).toEqual(['x,"y\n', 'z']);
  });

  it('are cut whole, unless it is the end of the file', () => {
    expect(cutRows(bytes('aa\nbb\ncc'), COMMA, false)).toBe(6);
    expect(cutRows(bytes('aa\nbb\ncc'), COMMA, true)).toBe(8);
    expect(cutRows(bytes('aa,"b\nb"\ncc,"d\n'), COMMA, false)).toBe(9);
    expect(cutRows(bytes('no end'), COMMA, false)).toBe(0);
    expect(countLines(bytes('a\nb\n\nc'))).toBe(3);
  });

  it('are shown by their cells', () => {
    expect(previewRows('a,"b, ""c""\nd"\r\n\n1,\n', ',', 9)).toEqual([
      ['a', 'b, "c"\nd'],
      ['1', ''],
    ]);
    expect(previewRows('a\nb\nc\n', ',', 2)).toEqual([['a'], ['b']]);
  });
});

describe('FileParts', () => {
  /** Puts what the server gets together again, without the rows that are repeated. */
  async function sent(file: string, size: number) {
    const parts = new FileParts(new Blob([file]), ',', size);
    const bodies: string[] = [];
    const places: [line: number, row: string][] = [];
    let from = 0;
    for (;;) {
      const part = await parts.at(from);
      if (!part) return { bodies, places };
      const body = text(part.body);
      bodies.push(body);
      const rows = rowsOf(part.body);
      let line = 1;
      for (const [i, row] of rows.entries()) {
        if (!(part.isRepeated && i === 0)) places.push([line + part.linesAbove, row]);
        line += countLines(bytes(row));
      }
      expect(part.to).toBeGreaterThan(part.from);
      from = part.to;
    }
  }

  it('repeats the first row and tells every line of the file by its number, for every size of part', async () => {
    const file = '\ufeffid,note\n1,a\n2,"b\nb"\n\n3,"c, ""c"""\n4,d\n5,e';
    const expected = (await sent(file, 1_000)).places;
    expect(expected.map(([line]) => line)).toEqual([1, 2, 3, 5, 6, 7, 8]);
    for (let size = 16; size < 60; size += 1) {
      const { bodies, places } = await sent(file, size);
      expect(places, `size ${size}`).toEqual(expected);
      for (const body of bodies.slice(1)) expect(body.startsWith('id,note\n')).toBe(true);
    }
  });

  it('agrees with a naive cut of random files', async () => {
    const seed = Number(process.env.TILLWATCH_SEED ?? Math.floor(Math.random() * 2 ** 31));
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return Math.floor((state / 0x80000000) * below);
    };
    for (let round = 0; round < 200; round += 1) {
      const cells = ['1', 'x y', '"q"', '"a,b"', '"l\nl"', '""', '5" p', '"d""d"'];
      const row = () => `${cells[random(8)]},${cells[random(8)]}\n`;
      const file = `id,n\n${Array.from({ length: random(12) }, row).join('')}`;
      const whole = rowsOf(bytes(file));
      const { places } = await sent(file, 24 + random(40));
      expect(
        places.map(([, one]) => one),
        `seed ${seed}, round ${round}, ${JSON.stringify(file)}`,
      ).toEqual(whole);
    }
  });

  it('begins again from the beginning after it has been read', async () => {
    const parts = new FileParts(new Blob(['id\n1\n2\n3\n']), ',', 5);
    const first = await parts.at(0);
    expect(text((await parts.at(first?.to ?? 0))?.body ?? new Uint8Array())).toBe('id\n2\n3\n');
    expect((await parts.at(0))?.to).toBe(first?.to);
  });
});

describe('a look at a file', () => {
  it('finds the delimiter that most rows share', () => {
    const found = (file: string) => lookAt(bytes(file), true).found;
    expect(found('id,name\n1,a\n')).toBe('comma');
    expect(found('\ufeffid;name\n1;a,b\n')).toBe('semicolon');
    expect(found('id\tname\n1\ta b\n')).toBe('tab');
    expect(found('1|2.5|x\n2|3.5|y\n')).toBe('pipe');
    expect(found('amount\n1.5\n2.5\n')).toBeNull();
    expect(found('name,note\n"a\nb","x, y"\nc,d\n')).toBe('comma');
  });

  it('tells lines of objects from rows', () => {
    const look = (text: string) => lookAt(bytes(text), true);
    expect(look('{"a":1,"b":2}\n{"a":2,"b":3}\n')).toMatchObject({
      form: 'ndjson',
      unfit: null,
      found: null,
    });
    expect(look('id,at\n1,2\n')).toMatchObject({ form: 'csv', unfit: null });
  });

  it('says what cannot be read line by line', () => {
    const unfit = (...data: (number | string)[]) => {
      const whole = data.flatMap((one) => (typeof one === 'string' ? [...bytes(one)] : [one]));
      return lookAt(new Uint8Array(whole), true).unfit;
    };
    expect(unfit('id,at\n1,2\n')).toBeNull();
    expect(unfit('id,at\r\n1,2\r\n')).toBeNull();
    expect(unfit('[log] started, ok\n')).toBeNull();
    expect(unfit('')).toBe('empty');
    expect(unfit(0xff, 0xfe, 'a', 0)).toBe('utf16');
    expect(unfit('PK', 3, 4, 'x')).toBe('zip');
    expect(unfit(0x1f, 0x8b, 'x')).toBe('gzip');
    expect(unfit('PAR1x')).toBe('parquet');
    expect(unfit('a', 0, 'b')).toBe('binary');
    expect(unfit('[{"a":1}]')).toBe('json');
    expect(unfit('sep=;\nid;at\n')).toBe('sep');
    expect(unfit('id,at\r1,2\r')).toBe('cr');
  });

  it('shows the first rows without one that is cut off', () => {
    const look = lookAt(bytes('id;n\n1;a\n2;'), false);
    expect(shownRows(look, 'semicolon', false)).toEqual([
      ['id', 'n'],
      ['1', 'a'],
    ]);
    expect(shownRows(look, 'comma', true)[0]).toEqual(['id;n']);
  });

  it('names what was chosen, and what was found only as a guess', () => {
    const auto = { delimiter: 'auto', header: 'auto' } as const;
    expect(contentTypeOf('csv', auto, null, false)).toBe('text/csv');
    expect(contentTypeOf('csv', auto, 'pipe', true)).toBe('text/csv; guess="|"; first-row=repeated');
    expect(contentTypeOf('csv', { delimiter: 'semicolon', header: 'absent' }, 'comma', false)).toBe(
      'text/csv; delimiter=semicolon; header=absent',
    );
  });
});
