import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { comparisonQuery } from '../api/queries';
import type { Metric } from '../api/types';
import { toNumber } from '../format/figure';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { apiDuration } from '../state/range';
import { PageIcon } from './icons';
import { Popover } from './Popover';
import type { ExploreState } from './state';
import { exploreTexts } from './texts';
import { askedFor, stepOf } from './window';

interface Props {
  metric: Metric;
  state: ExploreState;
  onChange: (where: ExploreState['where']) => void;
}

/** The filters: one for each dimension that has some, and a way to add the others. */
export function FilterBar({ metric, state, onChange }: Props) {
  const t = exploreTexts.use();
  const { dimension: spoken, sliceValue } = useSpeech();
  const [adding, setAdding] = useState<string | null>(null);
  const set = (dimension: string, values: string[]) => {
    const { [dimension]: _, ...others } = state.where;
    onChange(values.length > 0 ? { ...others, [dimension]: values } : others);
  };
  const filtered = Object.entries(state.where);
  const free = metric.dimensions.filter((dimension) => !state.where[dimension]);
  const editor = (dimension: string) => (
    <FilterEditor
      key={dimension}
      metric={metric}
      state={state}
      dimension={dimension}
      onChange={(values) => set(dimension, values)}
    />
  );
  return (
    <fieldset className="filters">
      <legend className="visually-hidden">{t('filter.label')}</legend>
      {filtered.map(([dimension, values]) => {
        const text = values.map((value) => sliceValue(value)).join(', ');
        return (
          <span key={dimension} className="filter-chip" data-testid="filter" data-dimension={dimension}>
            <Popover
              name={t('filter.edit', { dimension: spoken(dimension) })}
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
              aria-label={t('filter.remove', { dimension: spoken(dimension) })}
              title={t('filter.remove', { dimension: spoken(dimension) })}
              onClick={() => set(dimension, [])}
            >
              <PageIcon name="cross" />
            </button>
          </span>
        );
      })}
      {metric.dimensions.length > 0 && (
        <Popover
          name={t('filter.add')}
          testId="filter-add"
          className="button tool"
          label={
            <>
              <PageIcon name="plus" />
              {t('filter.add')}
            </>
          }
        >
          {() => (
            <div className="filter-add">
              <label className="field">
                <span>{t('filter.dimension')}</span>
                <select
                  value={adding ?? ''}
                  data-testid="filter-dimension"
                  onChange={(event) => setAdding(event.target.value || null)}
                >
                  <option value="">{t('filter.choose')}</option>
                  {[...free, ...filtered.map(([dimension]) => dimension)].map((dimension) => (
                    <option key={dimension} value={dimension}>
                      {spoken(dimension)}
                    </option>
                  ))}
                </select>
              </label>
              {adding !== null && metric.dimensions.includes(adding) && editor(adding)}
            </div>
          )}
        </Popover>
      )}
    </fieldset>
  );
}

interface EditorProps {
  metric: Metric;
  state: ExploreState;
  dimension: string;
  onChange: (values: string[]) => void;
}

/** As many values as the server lists; the others are typed. */
const VALUES_MAX = 100;

/** The values that the data has in the span, each with its figure, and any other that is typed. */
function FilterEditor({ metric, state, dimension, onChange }: EditorProps) {
  const t = exploreTexts.use();
  const { t: say, locale, sliceValue } = useSpeech();
  const [search, setSearch] = useState('');
  const chosen = state.where[dimension] ?? [];
  const { [dimension]: _, ...others } = state.where;
  const asked = askedFor(state.span, metric, stepOf(state.span, metric, state.stepMs));
  const values = useQuery(
    comparisonQuery({
      metric: metric.name,
      from: asked.from,
      to: asked.to,
      step: apiDuration(asked.wholeMs),
      by: [dimension],
      where: others,
      limit: VALUES_MAX,
    }),
  );
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
        aria-label={t('filter.search')}
        placeholder={t('filter.search')}
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
      <ul className="filter-list" aria-label={t('filter.values')}>
        {shown.map((value) => (
          <li key={value}>
            <label className="filter-option" data-testid="filter-value" data-value={value}>
              <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
              <span className="ellipsis" title={sliceValue(value)}>
                {sliceValue(value)}
              </span>
              <span className="filter-figure">
                {known.has(value) ? figureText(known.get(value), metric.unit, locale, { compact: true }) : ''}
              </span>
            </label>
          </li>
        ))}
        {isNew && (
          <li>
            <button type="button" className="filter-option" onClick={() => toggle(search.trim())}>
              <PageIcon name="plus" />
              <span className="ellipsis">{t('filter.use', { value: search.trim() })}</span>
            </button>
          </li>
        )}
      </ul>
      <p className="filter-note dim" role="status">
        {values.isPending && say('state.loading')}
        {values.error && t('filter.failed')}
        {values.data && shown.length === 0 && !isNew && t('filter.nothing')}
        {values.data?.truncated && t('filter.more', { count: VALUES_MAX })}
      </p>
    </div>
  );
}
