import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { SeriesQuery } from '../api/paths';
import { comparisonQuery } from '../api/queries';
import type { Metric } from '../api/types';
import { PageIcon } from '../explore/icons';
import type { Span } from '../explore/state';
import { askedFor, stepOf } from '../explore/window';
import { toNumber } from '../format/figure';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { apiDuration } from '../state/range';
import type { Filters } from '../state/where';
import { Popover } from './Popover';
import { filterTexts } from './texts';
import './filter.css';

interface Props {
  /** What can be filtered by. */
  dimensions: readonly string[];
  filters: Filters;
  span: Span;
  /** The step that was chosen; null for the one that fits. */
  stepMs?: number | null;
  /** The metric whose values of a dimension are suggested. */
  metricOf: (dimension: string) => Metric | undefined;
  onChange: (filters: Filters) => void;
}

/** The filters: one for each dimension that has some, and a way to add the others. */
export function FilterBar({ dimensions, filters, span, stepMs = null, metricOf, onChange }: Props) {
  const t = filterTexts.use();
  const { dimension: spoken, sliceValue } = useSpeech();
  const [adding, setAdding] = useState<string | null>(null);
  const set = (dimension: string, values: string[]) => {
    const { [dimension]: _, ...others } = filters;
    onChange(values.length > 0 ? { ...others, [dimension]: values } : others);
  };
  const filtered = Object.entries(filters);
  const free = dimensions.filter((dimension) => !filters[dimension]);
  const editor = (dimension: string) => (
    <FilterEditor
      key={dimension}
      metric={metricOf(dimension)}
      filters={filters}
      span={span}
      stepMs={stepMs}
      dimension={dimension}
      onChange={(values) => set(dimension, values)}
    />
  );
  return (
    <fieldset className="filters">
      <legend className="visually-hidden">{t('label')}</legend>
      {filtered.map(([dimension, values]) => {
        const text = values.map((value) => sliceValue(value)).join(', ');
        return (
          <span key={dimension} className="filter-chip" data-testid="filter" data-dimension={dimension}>
            <Popover
              name={t('edit', { dimension: spoken(dimension) })}
              className="filter-chip-text"
              label={
                <>
                  <span className="dim">{spoken(dimension)}</span>
                  <span className="ellipsis filter-values">{text}</span>
                </>
              }
            >
              {() => editor(dimension)}
            </Popover>
            <button
              type="button"
              className="filter-chip-end"
              aria-label={t('remove', { dimension: spoken(dimension) })}
              title={t('remove', { dimension: spoken(dimension) })}
              onClick={() => set(dimension, [])}
            >
              <PageIcon name="cross" />
            </button>
          </span>
        );
      })}
      {dimensions.length > 0 && (
        <Popover
          name={t('add')}
          testId="filter-add"
          className="button tool"
          label={
            <>
              <PageIcon name="plus" />
              {t('add')}
            </>
          }
        >
          {() => (
            <div className="filter-add">
              <label className="field">
                <span>{t('dimension')}</span>
                <select
                  value={adding ?? ''}
                  data-testid="filter-dimension"
                  onChange={(event) => setAdding(event.target.value || null)}
                >
                  <option value="">{t('choose')}</option>
                  {[...free, ...filtered.map(([dimension]) => dimension)].map((dimension) => (
                    <option key={dimension} value={dimension}>
                      {spoken(dimension)}
                    </option>
                  ))}
                </select>
              </label>
              {adding !== null && dimensions.includes(adding) && editor(adding)}
            </div>
          )}
        </Popover>
      )}
    </fieldset>
  );
}

interface EditorProps {
  metric: Metric | undefined;
  filters: Filters;
  span: Span;
  stepMs: number | null;
  dimension: string;
  onChange: (values: string[]) => void;
}

/** As many values as the server lists; the others are typed. */
const VALUES_MAX = 100;

/** The values that the data has in the span, each with its figure, and any other that is typed. */
function FilterEditor({ metric, filters, span, stepMs, dimension, onChange }: EditorProps) {
  const t = filterTexts.use();
  const { t: say, locale, sliceValue } = useSpeech();
  const [search, setSearch] = useState('');
  const chosen = filters[dimension] ?? [];
  const values = useQuery({
    ...comparisonQuery(valuesOf(metric, filters, span, stepMs, dimension)),
    enabled: metric !== undefined,
  });
  const known = new Map(
    (values.data?.series ?? []).map(({ by, points }) => [by[dimension] ?? '', points.at(-1)?.[1] ?? null]),
  );
  // A count of nothing is no suggestion; a rate of zero is.
  const suggested = [...known].filter(([, figure]) => toNumber(figure) !== null).map(([value]) => value);
  const wanted = search.trim().toLowerCase();
  const all = [...new Set([...chosen, ...suggested])];
  const shown = all.filter((value) => sliceValue(value).toLowerCase().includes(wanted));
  const isNew = search.trim() !== '' && !all.includes(search.trim());
  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  return (
    <div className="filter-editor">
      <input
        type="search"
        className="filter-search"
        aria-label={t('search')}
        placeholder={t('search')}
        value={search}
        data-testid="filter-search"
        onChange={(event) => setSearch(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          const [only] = shown;
          if (shown.length === 1 && only !== undefined) toggle(only);
          else if (isNew) toggle(search.trim());
          else return;
          setSearch('');
        }}
      />
      <ul className="filter-list" aria-label={t('values')}>
        {shown.map((value) => (
          <li key={value}>
            <label className="filter-option" data-testid="filter-value" data-value={value}>
              <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
              <span className="ellipsis" title={sliceValue(value)}>
                {sliceValue(value)}
              </span>
              <span className="filter-figure">
                {known.has(value)
                  ? figureText(known.get(value), metric?.unit, locale, { compact: true })
                  : ''}
              </span>
            </label>
          </li>
        ))}
        {isNew && (
          <li>
            <button type="button" className="filter-option" onClick={() => toggle(search.trim())}>
              <PageIcon name="plus" />
              <span className="ellipsis">{t('use', { value: search.trim() })}</span>
            </button>
          </li>
        )}
      </ul>
      <p className="filter-note dim" role="status">
        {values.isLoading && say('state.loading')}
        {values.error && t('failed')}
        {values.data && shown.length === 0 && !isNew && t('nothing')}
        {values.data?.truncated && t('more', { count: VALUES_MAX })}
      </p>
    </div>
  );
}

/** The question for the values of a dimension, under the filters by other dimensions that the metric has. */
function valuesOf(
  metric: Metric | undefined,
  filters: Filters,
  span: Span,
  stepMs: number | null,
  dimension: string,
): SeriesQuery {
  const stepped = metric ?? { bucket_ms: 0, kind: 'count' as const };
  const { from, to, wholeMs } = askedFor(span, stepped, stepOf(span, stepped, stepMs));
  const others = Object.entries(filters).filter(
    ([one]) => one !== dimension && metric?.dimensions.includes(one),
  );
  return {
    metric: metric?.name ?? '',
    from,
    to,
    step: apiDuration(wholeMs),
    by: [dimension],
    where: Object.fromEntries(others),
    limit: VALUES_MAX,
  };
}
