import { useEffect, useRef, useState } from 'react';
import { useSpeech } from '../i18n/hooks';
import { type ListSearch, type Order, orders } from './search';
import { type MonitorState, states } from './state';
import { useTexts } from './texts';
import { detectorNames, severities } from './types';

interface Props {
  search: ListSearch;
  counts: Record<MonitorState, number>;
  total: number;
  onChange: (next: ListSearch) => void;
}

/** Which monitors are listed, and in which order. */
export function MonitorFilters({ search, counts, total, onChange }: Props) {
  const t = useTexts();
  const { t: say } = useSpeech();
  const { state: _state, ...withoutState } = search;
  const { severity: _severity, ...withoutSeverity } = search;
  const { detect: _detect, ...withoutDetect } = search;
  const chosenState = (state: MonitorState | null) =>
    onChange(state === null ? withoutState : { ...withoutState, state });
  const shown = states.filter((state) => counts[state] > 0 || state === search.state);
  return (
    <div className="monitor-filters">
      <SearchBox q={search.q ?? ''} onChange={(q) => onChange({ ...search, q })} />
      <label className="filter">
        <span>{t('list.severity')}</span>
        <select
          value={search.severity ?? ''}
          onChange={({ target }) => {
            const severity = severities.find((one) => one === target.value);
            onChange(severity ? { ...search, severity } : withoutSeverity);
          }}
        >
          <option value="">{t('list.any')}</option>
          {severities.map((one) => (
            <option key={one} value={one}>
              {say(`severity.${one}`)}
            </option>
          ))}
        </select>
      </label>
      <label className="filter">
        <span>{t('list.detector')}</span>
        <select
          value={search.detect ?? ''}
          onChange={({ target }) => {
            const detect = detectorNames.find((one) => one === target.value);
            onChange(detect ? { ...search, detect } : withoutDetect);
          }}
        >
          <option value="">{t('list.any')}</option>
          {detectorNames.map((one) => (
            <option key={one} value={one}>
              {t(`detect.${one}.title`)}
            </option>
          ))}
        </select>
      </label>
      <label className="filter">
        <span>{t('list.order')}</span>
        <select
          value={search.order ?? 'urgency'}
          onChange={({ target }) => onChange({ ...search, order: target.value as Order })}
        >
          {orders.map((one) => (
            <option key={one} value={one}>
              {t(`order.${one}`)}
            </option>
          ))}
        </select>
      </label>
      <fieldset className="state-filter">
        <legend className="visually-hidden">{t('list.states')}</legend>
        <label className="state-choice">
          <input
            type="radio"
            name="monitor-state"
            checked={search.state === undefined}
            onChange={() => chosenState(null)}
          />
          <span>
            {t('list.all')} <b>{total}</b>
          </span>
        </label>
        {shown.map((state) => (
          <label key={state} className="state-choice">
            <input
              type="radio"
              name="monitor-state"
              checked={search.state === state}
              onChange={() => chosenState(state)}
            />
            <span>
              {t(`state.${state}`)} <b>{counts[state]}</b>
            </span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}

/** The text is the box's own while it is typed: the address follows, and is followed when it changes by itself. */
function SearchBox({ q, onChange }: { q: string; onChange: (q: string) => void }) {
  const t = useTexts();
  const [text, setText] = useState(q);
  const told = useRef(q);
  useEffect(() => {
    if (q === told.current) return;
    told.current = q;
    setText(q);
  }, [q]);
  return (
    <label className="filter filter-search">
      <span>{t('list.search')}</span>
      <input
        type="search"
        value={text}
        placeholder={t('list.searchHint')}
        maxLength={200}
        onChange={({ target }) => {
          setText(target.value);
          told.current = target.value;
          onChange(target.value);
        }}
      />
    </label>
  );
}
