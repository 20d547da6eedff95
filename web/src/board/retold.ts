import type { Speech } from '../i18n/hooks';

type Tongue = Pick<Speech, 't' | 'language' | 'dimension' | 'sliceValue'>;

/** The server's sentence: what on which slice, how it stands, and what follows behind semicolons. */
const SENTENCE =
  /^(?:of the same cause, by `([^`]+)`: )?(\S+) on (.+?) (rose to|fell to|is at|is back at) (.+)$/;

/**
 * A sentence that the server wrote some time ago, in the reader's language. Its figures are told nowhere else, so it is taken
 * apart by the words that the server is known to use; what is not understood stays as it was written, all of it.
 */
export function retold(text: string, titleOf: (metric: string) => string, speech: Tongue): string {
  const { t, language } = speech;
  if (language === 'en') return text;
  const match = SENTENCE.exec(text);
  if (!match) return text;
  const [, monitor, metric = '', slice = '', verb = '', rest = ''] = match;
  const [head = '', ...tails] = rest.split('; ');
  const what = t('sentence.what', { metric: titleOf(metric), slice: sliceWords(slice, speech) });
  const first = headOf(verb, head, what, t);
  const others = tails.map((tail) => tailOf(tail, speech));
  if (first === null || others.includes(null)) return text;
  const sentence = [first, ...others].join(t('sentence.join')) + t('sentence.end');
  return monitor === undefined ? sentence : t('sentence.sameCause', { monitor, sentence });
}

function headOf(verb: string, head: string, what: string, t: Tongue['t']): string | null {
  const bound = /^(.+), (?:but was )?(above|below) the bound of (.+)$/.exec(head);
  const expected = /^(.+), expected (.+)$/.exec(head);
  const back = /^(.+) after (.+)$/.exec(head);
  if (verb === 'is back at') {
    if (!back) return null;
    return t('sentence.back', { what, value: back[1] ?? '', duration: spanWords(back[2] ?? '', t) });
  }
  const [, value, side, limit] = bound ?? [];
  const size = bound
    ? t(side === 'above' ? 'incident.aboveBound' : 'incident.belowBound', {
        value: value ?? '',
        bound: limit ?? '',
      })
    : expected
      ? t('incident.insteadOf', { value: expected[1] ?? '', expected: expected[2] ?? '' })
      : /, /.test(head)
        ? null
        : head;
  if (size === null) return null;
  return t(verb === 'rose to' ? 'sentence.up' : verb === 'fell to' ? 'sentence.down' : 'sentence.is', {
    what,
    size,
  });
}

function tailOf(tail: string, speech: Tongue): string | null {
  const { t } = speech;
  const hit = /^(\d+) of (\d+) (affected|beyond it)$/.exec(tail);
  if (hit)
    return t(hit[3] === 'affected' ? 'sentence.affected' : 'sentence.beyond', {
      count: hit[1] ?? '',
      total: hit[2] ?? '',
    });
  const amount = /^(\d+) (missing|too many)$/.exec(tail);
  if (amount)
    return t(amount[2] === 'missing' ? 'sentence.missing' : 'sentence.many', { count: amount[1] ?? '' });
  const beyondIt = /^(\d+) beyond it$/.exec(tail);
  if (beyondIt) return t('sentence.beyondIt', { count: beyondIt[1] ?? '' });
  const passed = /^(\d+) events meanwhile, affected or not$/.exec(tail);
  if (passed) return t('sentence.passed', { count: passed[1] ?? '' });
  const all = /^about (.+) in all of these$/.exec(tail);
  if (all) return t('incident.inAll', { amount: all[1] ?? '' });
  const stake = /^about (.+) at stake$/.exec(tail);
  if (stake) return t('incident.atStake', { amount: stake[1] ?? '' });
  const closed = /^closed after (.+)$/.exec(tail);
  if (closed) return t('sentence.closed', { duration: spanWords(closed[1] ?? '', t) });
  const was = /^it was at (.+), expected (.+)$/.exec(tail);
  if (was) {
    const size = t('incident.insteadOf', { value: was[1] ?? '', expected: was[2] ?? '' });
    return t('sentence.was', { size });
  }
  const beyond = /^it was (above|below) the bound of (.+)$/.exec(tail);
  if (beyond)
    return t(beyond[1] === 'above' ? 'sentence.wasAbove' : 'sentence.wasBelow', { bound: beyond[2] ?? '' });
  const cause = /^explained by (.+)$/.exec(tail);
  if (!cause) return null;
  const parts = (cause[1] ?? '').split(' and ').map((part) => {
    const [, slice, share] = /^(.+) \((\d[\d.]* %)\)$/.exec(part) ?? [];
    return slice ? `${sliceWords(slice, speech)} ${share}` : part;
  });
  return t('sentence.cause', { parts: parts.join(t('sentence.and')) });
}

/** `issuer=bank_17, psp=adyen`, as the server writes a slice; values are data and stay as they are. */
function sliceWords(slice: string, { t, dimension, sliceValue }: Tongue): string {
  if (slice === 'all' || slice === 'all traffic') return t('incident.whole');
  const pairs = slice.split(', ').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? pair : `${dimension(pair.slice(0, at))} ${sliceValue(pair.slice(at + 1))}`;
  });
  return pairs.join(t('sentence.and'));
}

/** `2 h 5 min` in the words of the language. */
function spanWords(span: string, t: Tongue['t']): string {
  return span.replaceAll(/(\d+) (d|h|min|s)\b/g, (_, count: string, unit: 'd' | 'h' | 'min' | 's') =>
    t(`span.${unit}`, { count }),
  );
}
