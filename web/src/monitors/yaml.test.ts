import { describe, expect, it } from 'vitest';
import { fileOf } from './definitionFile';
import { emptyDraft } from './draft';
import { yamlDocument, yamlNumber, yamlRows, yamlText } from './yaml';

describe('texts', () => {
  it('stand without quotes where YAML reads them as they are', () => {
    for (const text of [
      'authorization_rate',
      'payments on call',
      'a',
      'x-y',
      'team/emea',
      '16m',
      '7d',
      '500ms',
    ])
      expect(yamlText(text)).toBe(text);
  });

  it.each([
    ['', '""'],
    ['true', '"true"'],
    ['No', '"No"'],
    ['y', '"y"'],
    ['OFF', '"OFF"'],
    ['null', '"null"'],
    ['~', '"~"'],
    ['NaN', '"NaN"'],
    ['12', '"12"'],
    ['1e3', '"1e3"'],
    ['0x1F', '"0x1F"'],
    ['1_000', '"1_000"'],
    ['1:30', '"1:30"'],
    ['.5', '".5"'],
    ['2026-11-30', '"2026-11-30"'],
    ['2026-05-08T10:00:00Z', '"2026-05-08T10:00:00Z"'],
    ['- item', '"- item"'],
    ['a: b', '"a: b"'],
    ['a #b', '"a #b"'],
    ['#b', '"#b"'],
    [' padded ', '" padded "'],
    ['two  blanks', '"two  blanks"'],
    ['[a]', '"[a]"'],
    ['{a}', '"{a}"'],
    ['a, b', '"a, b"'],
    ['*alias', '"*alias"'],
    ['&anchor', '"&anchor"'],
    ['!tag', '"!tag"'],
    ['%d', '"%d"'],
    ['@x', '"@x"'],
    ['`x`', '"`x`"'],
    ['=', '"="'],
    ['<<', '"<<"'],
    ['it\'s "so"', '"it\'s \\"so\\""'],
    ['back\\slash', '"back\\\\slash"'],
    ['two\nlines\tand', '"two\\nlines\\tand"'],
    ['---', '"---"'],
    ['支付团队', '"支付团队"'],
    ['tête', '"tête"'],
  ])('%j is quoted as %s', (text, quoted) => {
    expect(yamlText(text)).toBe(quoted);
  });

  it('write what an editor would not show by its number', () => {
    expect(yamlText('a\u202eb')).toBe('"a\\u202eb"');
    expect(yamlText('a\u0085b\u2028c\u00a0d\ufeff\u007f')).toBe('"a\\u0085b\\u2028c\\u00a0d\\ufeff\\u007f"');
    expect(yamlText('\u0000')).toBe('"\\u0000"');
    expect(yamlText('\u{e0041}x\u{1f4b3}')).toBe('"\\U000e0041x\u{1f4b3}"');
  });
});

describe('numbers', () => {
  it('have no exponent and lose no digit', () => {
    expect([0.15, -2, 0, 30, 1e21, 1.5e-7, 1e-10, -2.5e-9].map(yamlNumber)).toEqual([
      '0.15',
      '-2',
      '0',
      '30',
      '1000000000000000000000',
      '0.00000015',
      '0.0000000001',
      '-0.0000000025',
    ]);
    for (const value of [0.1, 1e-7, 123456.789e-12, 5e-324, 1.7976931348623157e308])
      expect(Number(yamlNumber(value))).toBe(value);
  });

  it('are finite', () => {
    expect(() => yamlNumber(Number.NaN)).toThrow();
    expect(() => yamlNumber(Number.POSITIVE_INFINITY)).toThrow();
  });
});

describe('documents', () => {
  it('are blocks with lists in one line', () => {
    const text = yamlDocument({
      monitors: {
        drop: {
          metric: 'rate',
          by: ['psp', 'no'],
          detect: { rate: { min_samples: 8 } },
          empty: {},
          none: [],
        },
      },
    });
    expect(text).toBe(
      [
        'monitors:',
        '  drop:',
        '    metric: rate',
        '    by: [psp, "no"]',
        '    detect:',
        '      rate:',
        '        min_samples: 8',
        '    empty: {}',
        '    none: []',
        '',
      ].join('\n'),
    );
  });

  it('write lists of mappings item by item', () => {
    expect(yamlDocument({ rows: [{ a: 1, b: ['x'] }, { c: { d: 'e' } }] })).toBe(
      'rows:\n  - a: 1\n    b: [x]\n  - c:\n      d: e\n',
    );
  });

  it('write labels as rows', () => {
    expect(
      yamlRows([{ from: '2026-05-08T10:00:00Z', where: { psp: 'adyen', issuer: null }, verdict: 'real' }]),
    ).toBe('- {from: "2026-05-08T10:00:00Z", where: {psp: adyen, issuer: null}, verdict: real}\n');
  });
});

it('a draft becomes a section of the definitions', () => {
  const draft = {
    ...emptyDraft,
    metric: 'authorization_rate',
    by: ['psp', 'issuer'],
    detector: 'rate' as const,
    settings: { min_samples: '8', min_change: '', window: ' 5m ' },
    direction: 'down',
    severity: 'critical',
    resolve_after: '3m',
    owner: 'payments: on call',
    notify: ['on_call'],
  };
  expect(fileOf(draft, 'authorization_by_issuer')).toBe(
    [
      'monitors:',
      '  authorization_by_issuer:',
      '    metric: authorization_rate',
      '    by: [psp, issuer]',
      '    detect:',
      '      rate:',
      '        min_samples: 8',
      '        window: 5m',
      '    direction: down',
      '    severity: critical',
      '    resolve_after: 3m',
      '    owner: "payments: on call"',
      '    notify: [on_call]',
      '',
    ].join('\n'),
  );
});
