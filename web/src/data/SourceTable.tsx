import { counterHistory, polledKey } from './counters';
import type { View } from './DataPage';
import { type Column, DataTable } from './DataTable';
import type { SourceDocument } from './documents';
import { Panel, ToneBadge } from './parts';
import type { Say } from './say';
import type { Tone } from './signs';

/** The sources that the server asks by itself. */
export function SourceTable({ snapshot, say, nowMs }: View) {
  const { t } = say;
  const { sources } = snapshot.status;
  const columns: Column<SourceDocument>[] = [
    {
      id: 'name',
      head: t('sources.column.name'),
      isName: true,
      cell: ({ name, kind }) => (
        <>
          <span className="ellipsis">{name}</span>
          <small>{kind}</small>
        </>
      ),
    },
    { id: 'state', head: t('sources.column.state'), cell: (source) => <State source={source} say={say} /> },
    {
      id: 'last',
      head: t('sources.column.last'),
      isNumber: true,
      cell: ({ last_ok_at }) => (
        <span title={say.exact(last_ok_at)}>
          {last_ok_at === null ? t('never') : say.ago(last_ok_at, nowMs)}
        </span>
      ),
    },
    {
      id: 'next',
      head: t('sources.column.next'),
      isNumber: true,
      cell: ({ next_at }) => {
        const ms = Date.parse(next_at ?? '') - nowMs;
        return Number.isFinite(ms)
          ? t('sources.in', { span: say.span(Math.max(0, Math.round(ms / 1_000) * 1_000)) })
          : '–';
      },
    },
    {
      id: 'rate',
      head: t('streams.column.rate'),
      isNumber: true,
      cell: ({ name }) => {
        const rate = counterHistory.rate(polledKey(name));
        return rate === null ? '–' : say.rate(rate);
      },
    },
    {
      id: 'events',
      head: t('sources.column.events'),
      isNumber: true,
      cell: ({ events, unchanged }) => (
        <span title={t('sources.unchanged', { count: say.count(unchanged) })}>{say.count(events)}</span>
      ),
    },
    {
      id: 'duplicates',
      head: t('sources.column.duplicates'),
      isNumber: true,
      cell: ({ duplicates }) => say.count(duplicates),
    },
    {
      id: 'rejected',
      head: t('sources.column.rejected'),
      isNumber: true,
      cell: ({ rejected }) => say.count(rejected),
    },
  ];
  return (
    <Panel title={t('sources.title')} testId="sources">
      {sources.length === 0 ? (
        <p className="data-empty">{t('sources.empty')}</p>
      ) : (
        <DataTable label={t('sources.title')} columns={columns} rows={sources} rowKey={({ name }) => name} />
      )}
    </Panel>
  );
}

const states = ['ok', 'failing', 'stopped'] as const;
const tones: Record<(typeof states)[number], Tone> = { ok: 'good', failing: 'bad', stopped: 'quiet' };

function State({ source, say }: { source: SourceDocument; say: Say }) {
  const { t } = say;
  const state = states.find((one) => one === source.state);
  return (
    <>
      <ToneBadge tone={state ? tones[state] : 'quiet'}>
        {state ? t(`sources.state.${state}`) : source.state}
      </ToneBadge>
      {source.failures > 0 && <small>{t('sources.failures', { count: say.count(source.failures) })}</small>}
      {source.last_error !== null && (
        <small className={source.state === 'failing' ? 'data-fault' : undefined}>
          {t('sources.error', { time: say.time(source.last_error_at), error: source.last_error })}
        </small>
      )}
    </>
  );
}
