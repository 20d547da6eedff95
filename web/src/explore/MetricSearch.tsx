import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import type { Metric } from '../api/types';
import { useSpeech } from '../i18n/hooks';
import { PageIcon } from './icons';
import { findMetrics, metricNote } from './names';
import { exploreTexts } from './texts';

interface Props {
  metrics: ReadonlyMap<string, Metric>;
  current: string | null;
  onChoose: (name: string) => void;
}

/** The metrics there are, each with its unit and what it counts, and a search over all of their words. */
export function MetricSearch({ metrics, current, onChoose }: Props) {
  const t = exploreTexts.use();
  const { dimension } = useSpeech();
  const id = useId();
  const [search, setSearch] = useState('');
  const speech = useSpeech();
  const found = useMemo(() => findMetrics(metrics.values(), search), [metrics, search]);
  const [active, setActive] = useState(() =>
    Math.max(
      0,
      found.findIndex(({ name }) => name === current),
    ),
  );
  const list = useRef<HTMLDivElement>(null);
  const at = Math.min(active, found.length - 1);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView?.({ block: 'nearest' });
  }, [at]);

  const onKey = (event: KeyboardEvent) => {
    const places: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + 8,
      PageUp: at - 8,
    };
    const target = places[event.key];
    if (target !== undefined) {
      event.preventDefault();
      setActive(Math.min(Math.max(0, target), Math.max(0, found.length - 1)));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      const chosen = found[at];
      if (chosen) onChoose(chosen.name);
    }
  };
  return (
    <div className="metric-search">
      <div className="metric-search-field">
        <PageIcon name="search" />
        <input
          type="search"
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={found[at] ? `${id}-${at}` : undefined}
          aria-autocomplete="list"
          aria-label={t('metric.search')}
          placeholder={t('metric.search')}
          value={search}
          data-testid="metric-search"
          onChange={(event) => {
            setSearch(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKey}
        />
      </div>
      <div className="metric-list" role="listbox" id={`${id}-list`} aria-label={t('metric.list')} ref={list}>
        {found.map((metric, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are heard by the field, as of every combobox
          <div
            key={metric.name}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            aria-current={metric.name === current || undefined}
            className="metric-option"
            data-testid="metric-option"
            data-metric={metric.name}
            onPointerMove={() => setActive(i)}
            onClick={() => onChoose(metric.name)}
          >
            <span className="metric-option-head">
              <strong>{speech.metric(metric.name)}</strong>
              <span className="chip">{unitText(metric, t('unit.number'))}</span>
            </span>
            <span className="metric-option-note">{metricNote(metric)}</span>
            <span className="metric-option-by">
              {t('metric.of', { cube: metric.of })}
              {metric.dimensions.length > 0 &&
                ` · ${t('metric.by', { dimensions: metric.dimensions.map(dimension).join(', ') })}`}
            </span>
          </div>
        ))}
      </div>
      <p className={found.length === 0 ? 'metric-none' : 'visually-hidden'} role="status">
        {found.length === 0 ? t('metric.none', { search }) : t('metric.found', { count: found.length })}
      </p>
    </div>
  );
}

/** `percent` is a sign, and what has no unit is a number. */
export function unitText({ unit }: Metric, number: string): string {
  if (unit === 'percent') return '%';
  return unit === null || unit === 'count' || unit === 'number' || unit === 'ratio' ? number : unit;
}
