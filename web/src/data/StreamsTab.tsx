import { Link } from '@tanstack/react-router';
import { counterHistory } from './counters';
import type { View } from './DataPage';
import { type Column, DataTable } from './DataTable';
import type { StreamDocument } from './documents';
import { Course, Panel, ToneBadge } from './parts';
import { SourceTable } from './SourceTable';
import { StreamDetail } from './StreamDetail';
import type { Say } from './say';
import { writeDataSearch } from './search';
import { lastReceivedMs, type StreamState, streamState, streamTones, watermarkLagMs } from './signs';

/** All streams, or one of them with what there is to say of it. */
export function StreamsTab(view: View) {
  const { snapshot, search, say } = view;
  const { t } = say;
  const { streams } = snapshot.status;
  const chosen = streams.find(({ name }) => name === search.stream);
  if (chosen) return <StreamDetail stream={chosen} {...view} />;
  return (
    <>
      {search.stream !== null && (
        <p className="data-strip" role="status">
          {t('stream.missing', { name: search.stream })}
        </p>
      )}
      <Panel title={t('streams.title')} testId="streams">
        {streams.length === 0 ? (
          <p className="data-empty">{t('streams.empty')}</p>
        ) : (
          <StreamTable {...view} />
        )}
      </Panel>
      <SourceTable {...view} />
    </>
  );
}

function StreamTable({ snapshot, say, nowMs }: View) {
  const { t } = say;
  const columns: Column<StreamDocument>[] = [
    {
      id: 'name',
      head: t('streams.column.name'),
      isName: true,
      cell: (stream) => (
        <div className="data-name">
          <Link to="/data" search={writeDataSearch({ stream: stream.name })} className="data-link ellipsis">
            {stream.name}
          </Link>
          <StreamBadge stream={stream} say={say} nowMs={nowMs} />
        </div>
      ),
    },
    {
      id: 'rate',
      head: t('streams.column.rate'),
      isNumber: true,
      cell: ({ name, rate_per_s }) => say.rate(counterHistory.rate(name) ?? rate_per_s),
    },
    {
      id: 'course',
      head: t('streams.column.course'),
      cell: ({ name }) => (
        <div className="data-course">
          <Course of={name} atMs={snapshot.atMs} />
        </div>
      ),
    },
    {
      id: 'events',
      head: t('streams.column.events'),
      isNumber: true,
      cell: ({ events }) => say.count(events),
    },
    {
      id: 'newest',
      head: t('streams.column.newest'),
      isNumber: true,
      cell: ({ last_event_at }) => (
        <span title={say.exact(last_event_at)}>{say.ago(last_event_at, nowMs)}</span>
      ),
    },
    {
      id: 'behind',
      head: t('streams.column.behind'),
      isNumber: true,
      cell: (stream) => {
        const lag = watermarkLagMs(stream);
        return (
          <>
            {say.time(stream.watermark)}
            {lag !== null && <small>{t('streams.behind', { span: say.span(lag) })}</small>}
          </>
        );
      },
    },
    {
      id: 'late',
      head: t('streams.column.late'),
      isNumber: true,
      cell: ({ late, events }) => (
        <>
          {say.count(late)}
          {late > 0 && <small>{say.share(late, events)}</small>}
        </>
      ),
    },
    {
      id: 'duplicates',
      head: t('streams.column.duplicates'),
      isNumber: true,
      cell: ({ name, duplicates }) => (
        <>
          {say.count(duplicates)}
          <Grown count={counterHistory.grown(name, 'duplicates')} say={say} />
        </>
      ),
    },
    {
      id: 'rejected',
      head: t('streams.column.rejected'),
      isNumber: true,
      cell: ({ name, rejected }) => (
        <>
          {rejected > 0 ? (
            <Link
              to="/data"
              search={writeDataSearch({ tab: 'quarantine', stream: name })}
              className="data-link"
            >
              {say.count(rejected)}
            </Link>
          ) : (
            say.count(rejected)
          )}
          <Grown count={counterHistory.grown(name, 'rejected')} say={say} isBad />
        </>
      ),
    },
  ];
  return (
    <DataTable
      label={t('streams.title')}
      columns={columns}
      rows={snapshot.status.streams}
      rowKey={({ name }) => name}
      testId="stream-table"
    />
  );
}

function Grown({ count, say, isBad = false }: { count: number; say: Say; isBad?: boolean }) {
  if (count <= 0) return null;
  return (
    <small className={isBad ? 'data-warning' : undefined}>
      {say.t('streams.grown', { count: say.count(count) })}
    </small>
  );
}

interface BadgeProps {
  stream: StreamDocument;
  say: Say;
  nowMs: number;
}

/** What a stream does just now. */
export function StreamBadge({ stream, say, nowMs }: BadgeProps) {
  const state: StreamState = streamState(stream, counterHistory, nowMs);
  const received = lastReceivedMs(stream);
  const text =
    state === 'quiet' && received !== null
      ? say.t('state.quiet.since', { span: say.span(nowMs - received) })
      : say.t(`state.${state}`);
  return <ToneBadge tone={streamTones[state]}>{text}</ToneBadge>;
}
