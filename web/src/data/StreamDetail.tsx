import { Link } from '@tanstack/react-router';
import { counterHistory, sourceKey } from './counters';
import type { View } from './DataPage';
import { type Column, DataTable } from './DataTable';
import type { StreamDocument, StreamSource } from './documents';
import { LagPanel } from './LagPanel';
import { Course, Facts, Panel, ToneBadge } from './parts';
import { StreamBadge } from './StreamsTab';
import { writeDataSearch } from './search';
import { lastReceivedMs, type Tone, watermarkLagMs } from './signs';
import { sourceName } from './sourceName';

/** One stream: what it does, from where, how late, and what of it is not as it should be. */
export function StreamDetail({ stream, ...view }: View & { stream: StreamDocument }) {
  const { snapshot, say, nowMs } = view;
  const { t } = say;
  const { name } = stream;
  const course = counterHistory.course(name).flatMap(([, rate]) => rate ?? []);
  const rate = counterHistory.rate(name) ?? stream.rate_per_s;
  return (
    <div className="data-stack" data-testid="stream-detail" data-stream={name}>
      <div className="data-detail-head">
        <h2 className="ellipsis">{name}</h2>
        <StreamBadge stream={stream} say={say} nowMs={nowMs} />
        <div className="data-actions">
          <Link to="/data" search={writeDataSearch({ tab: 'quarantine', stream: name })} className="button">
            {t('stream.openQuarantine')}
          </Link>
          <Link to="/data" search={writeDataSearch({ tab: 'upload', stream: name })} className="button">
            {t('stream.openUpload')}
          </Link>
          <Link to="/data" search={{}} className="button" activeOptions={{ exact: true }}>
            {t('stream.close')}
          </Link>
        </div>
      </div>
      <Notes stream={stream} {...view} />
      <div className="data-columns">
        <Panel title={t('stream.course')}>
          <div className="data-course-large">
            <Course of={name} atMs={snapshot.atMs} />
          </div>
          <p className="dim data-small">
            {course.length > 0
              ? t('stream.course.text', { rate: say.rate(rate), most: say.rate(Math.max(...course)) })
              : t('stream.course.waiting')}
          </p>
        </Panel>
        <Panel title={t('streams.column.name')}>
          <StreamFacts stream={stream} {...view} />
        </Panel>
      </div>
      <Panel title={t('stream.sources')} testId="stream-sources">
        {stream.sources.length === 0 ? (
          <p className="data-empty">{t('stream.sources.empty')}</p>
        ) : (
          <StreamSources stream={stream} {...view} />
        )}
      </Panel>
      <div className="data-columns">
        <LagPanel
          title={t('lag.lateness')}
          hint={t('lag.lateness.hint')}
          histogram={stream.lateness}
          say={say}
        />
        <LagPanel title={t('lag.delay')} hint={t('lag.delay.hint')} histogram={stream.delay} say={say} />
      </div>
    </div>
  );
}

function StreamFacts({ stream, say, nowMs }: View & { stream: StreamDocument }) {
  const { t } = say;
  const lag = watermarkLagMs(stream);
  const received = lastReceivedMs(stream);
  const since = (time: string | null) => (time === null ? t('stream.kept.all') : say.exact(time));
  return (
    <Facts
      facts={[
        [t('stream.fact.events'), say.count(stream.events)],
        [t('stream.fact.newest'), say.ago(stream.last_event_at, nowMs), say.exact(stream.last_event_at)],
        [
          t('stream.fact.watermark'),
          lag === null
            ? '–'
            : `${say.time(stream.watermark)} · ${t('streams.behind', { span: say.span(lag) })}`,
          say.exact(stream.watermark),
        ],
        [
          t('stream.fact.received'),
          received === null ? t('never') : t('ago', { span: say.span(nowMs - received) }),
        ],
        [t('stream.fact.late'), `${say.count(stream.late)} · ${say.share(stream.late, stream.events)}`],
        [t('stream.fact.duplicates'), say.count(stream.duplicates)],
        [t('stream.fact.rejected'), say.count(stream.rejected)],
        [
          t('stream.fact.stored'),
          t('stream.stored', {
            events: say.count(stream.stored_events),
            bytes: say.bytes(stream.stored_bytes),
            files: say.count(stream.stored_files),
          }),
        ],
        [t('stream.fact.kept'), since(stream.events_kept_from)],
        [t('stream.fact.rejectsKept'), since(stream.rejects_kept_from)],
        [
          t('stream.fact.dedup'),
          t('stream.dedup', { ids: say.count(stream.dedup_ids), bytes: say.bytes(stream.dedup_bytes) }),
        ],
      ]}
    />
  );
}

function StreamSources({ stream, say, nowMs }: View & { stream: StreamDocument }) {
  const { t } = say;
  const columns: Column<StreamSource>[] = [
    {
      id: 'name',
      head: t('stream.source.name'),
      isName: true,
      cell: (source) => (
        <div className="data-name">
          <span className="ellipsis">{sourceName(source.name, say)}</span>
          <ToneBadge tone={source.idle ? 'quiet' : 'good'}>
            {source.idle ? t('stream.source.idle') : t('stream.source.active')}
          </ToneBadge>
        </div>
      ),
    },
    {
      id: 'rate',
      head: t('streams.column.rate'),
      isNumber: true,
      cell: ({ name }) => {
        const rate = counterHistory.rate(sourceKey(stream.name, name));
        return rate === null ? '–' : say.rate(rate);
      },
    },
    {
      id: 'events',
      head: t('streams.column.events'),
      isNumber: true,
      cell: ({ events }) => say.count(events),
    },
    { id: 'late', head: t('streams.column.late'), isNumber: true, cell: ({ late }) => say.count(late) },
    {
      id: 'newest',
      head: t('streams.column.newest'),
      isNumber: true,
      cell: ({ last_event_at }) => (
        <span title={say.exact(last_event_at)}>{say.ago(last_event_at, nowMs)}</span>
      ),
    },
    {
      id: 'lag',
      head: t('stream.source.lag'),
      isNumber: true,
      cell: ({ lag_ms }) => (lag_ms === null ? '–' : say.span(lag_ms)),
    },
    {
      id: 'received',
      head: t('stream.source.received'),
      isNumber: true,
      cell: ({ last_received_at }) => (
        <span title={say.exact(last_received_at)}>{say.ago(last_received_at, nowMs)}</span>
      ),
    },
  ];
  return (
    <>
      <DataTable
        label={t('stream.sources')}
        columns={columns}
        rows={stream.sources}
        rowKey={({ name }) => name}
        testId="source-table"
      />
      {stream.sources.some(({ name }) => name === '__other__') && (
        <p className="dim data-small">{t('note.other')}</p>
      )}
    </>
  );
}

/** What is not as it should be, in words. */
function Notes({ stream, say }: View & { stream: StreamDocument }) {
  const grown = (counter: 'overloaded' | 'rejected') => counterHistory.grown(stream.name, counter);
  const notes: [Tone, Parameters<typeof say.t>[0], number][] = [
    ['bad', 'note.failed', stream.failed],
    ['warning', 'note.overloaded', grown('overloaded')],
    ['warning', 'note.rejected', grown('rejected')],
    ['warning', 'note.derive', stream.derive_failed],
    ['warning', 'note.measure', stream.measure_failed],
    ['warning', 'note.unconverted', stream.unconverted],
  ];
  const told = notes.filter(([, , count]) => count > 0);
  if (told.length === 0) return null;
  return (
    <ul className="data-notes">
      {told.map(([tone, key, count]) => (
        <li key={key} data-tone={tone}>
          <ToneBadge tone={tone}>{say.t(`tone.${tone}`)}</ToneBadge>
          <span>{say.t(key, { count: say.count(count) })}</span>
        </li>
      ))}
    </ul>
  );
}
