import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { Incident } from '../api/types';
import { useSpeech } from '../i18n/hooks';
import { SeverityIcon } from '../shell/icons';
import { choices, groupsOf, type InboxFilter, SEVERITIES, STATES, type WordsOf } from './filter';
import { incidentTexts } from './texts';

interface Props {
  filter: InboxFilter;
  incidents: readonly Incident[];
  wordsOf: WordsOf;
  metricTitle: (metric: string) => string;
  searchField: RefObject<HTMLInputElement | null>;
  onChange: (filter: InboxFilter) => void;
  /** From the search into the list. */
  onLeaveSearch: () => void;
}

/** What the inbox shows: by state, severity, monitor, metric and words. */
export function Filters(props: Props) {
  const { filter, incidents, wordsOf, metricTitle, onChange } = props;
  const { t } = useSpeech();
  const say = incidentTexts.use();
  const counts = useMemo(
    () => new Map(STATES.map((state) => [state, groupsOf(incidents, { ...filter, state }, wordsOf).length])),
    [incidents, filter, wordsOf],
  );
  const toggle = (severity: (typeof SEVERITIES)[number]) => {
    const isOn = filter.severities.includes(severity);
    const severities = SEVERITIES.filter((one) =>
      one === severity ? !isOn : filter.severities.includes(one),
    );
    onChange({ ...filter, severities });
  };
  return (
    <search className="inbox-filters" aria-label={say('filter.label')}>
      <fieldset className="segmented inbox-states">
        <legend className="visually-hidden">{say('filter.state')}</legend>
        {STATES.map((state) => (
          <label key={state} className="segment">
            <input
              type="radio"
              name="incident-state"
              value={state}
              checked={filter.state === state}
              onChange={() => onChange({ ...filter, state })}
            />
            <span>
              {say(`state.${state}`)} <span className="inbox-count">{counts.get(state)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset className="inbox-severities">
        <legend className="visually-hidden">{say('filter.severity')}</legend>
        {SEVERITIES.map((severity) => (
          <button
            key={severity}
            type="button"
            className="inbox-toggle"
            data-severity={severity}
            aria-pressed={filter.severities.includes(severity)}
            onClick={() => toggle(severity)}
          >
            <SeverityIcon severity={severity} />
            {t(`severity.${severity}`)}
          </button>
        ))}
      </fieldset>
      <NameSelect
        label={say('filter.metric')}
        all={say('filter.allMetrics')}
        chosen={filter.metric}
        names={choices(incidents, 'metric', filter.metric)}
        title={metricTitle}
        onChange={(metric) => onChange({ ...filter, metric })}
      />
      <NameSelect
        label={say('filter.monitor')}
        all={say('filter.allMonitors')}
        chosen={filter.monitor}
        names={choices(incidents, 'monitor', filter.monitor)}
        title={(name) => name}
        onChange={(monitor) => onChange({ ...filter, monitor })}
      />
      <SearchField {...props} />
    </search>
  );
}

interface SelectProps {
  label: string;
  all: string;
  chosen: string | null;
  names: string[];
  title: (name: string) => string;
  onChange: (name: string | null) => void;
}

function NameSelect({ label, all, chosen, names, title, onChange }: SelectProps) {
  return (
    <label className="inbox-select">
      <span className="visually-hidden">{label}</span>
      <select
        value={chosen ?? ''}
        data-chosen={chosen !== null}
        onChange={(event) => onChange(event.target.value || null)}
      >
        <option value="">{all}</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {title(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The address follows the typing after a short rest: it need not hold every half word. */
const REST_MS = 150;

function SearchField({ filter, searchField, onChange, onLeaveSearch }: Props) {
  const say = incidentTexts.use();
  const [text, setText] = useState(filter.text);
  const told = useRef(filter.text);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef({ filter, onChange });
  latest.current = { filter, onChange };
  useEffect(() => {
    // What the address says by itself, as after “back”, is taken over; an echo of the typing is not.
    if (filter.text === told.current) return;
    told.current = filter.text;
    setText(filter.text);
  }, [filter.text]);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  const type = (next: string) => {
    setText(next);
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      told.current = next.trim() ? next : '';
      latest.current.onChange({ ...latest.current.filter, text: next });
    }, REST_MS);
  };
  return (
    <label className="inbox-search">
      <span className="visually-hidden">{say('filter.search')}</span>
      <input
        ref={searchField}
        type="search"
        value={text}
        placeholder={say('filter.searchHint')}
        onChange={(event) => type(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && text !== '') type('');
          else if (event.key === 'Escape') event.currentTarget.blur();
          else if (event.key === 'Enter' || event.key === 'ArrowDown') onLeaveSearch();
          else return;
          event.preventDefault();
        }}
      />
    </label>
  );
}
