import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { memo, useMemo, useState } from 'react';
import { CheckIcon } from '../shell/icons';
import { QUARANTINE_LIMITS, quarantineQuery } from './calls';
import type { View } from './DataPage';
import { type Column, DataTable } from './DataTable';
import type { QuarantinedLine } from './documents';
import { Panel } from './parts';
import { Refusal } from './Refusal';
import { ReplayPanel } from './ReplayPanel';
import { reasonGroups, reasonKey } from './reasons';
import type { Say } from './say';
import { writeDataSearch } from './search';
import { sourceName } from './sourceName';

/** The lines of a stream that were not taken. */
export function QuarantineTab(view: View) {
  const { snapshot, search, say } = view;
  const { t } = say;
  const navigate = useNavigate({ from: '/data' });
  const { streams } = snapshot.status;
  const chosen =
    search.stream ?? streams.find(({ rejected }) => rejected > 0)?.name ?? streams[0]?.name ?? null;
  const isKnown = streams.some(({ name }) => name === chosen);
  const choose = (stream: string) =>
    void navigate({ search: writeDataSearch({ tab: 'quarantine', stream }), replace: true });
  return (
    <div className="data-stack">
      <Panel
        title={t('quarantine.title')}
        testId="quarantine"
        aside={
          streams.length > 0 && (
            <label className="data-field data-field-inline">
              <span>{t('quarantine.stream')}</span>
              <select
                value={isKnown ? (chosen ?? '') : ''}
                data-testid="quarantine-stream"
                onChange={(event) => choose(event.target.value)}
              >
                {!isKnown && <option value="">{chosen ?? ''}</option>}
                {streams.map(({ name, rejected }) => (
                  <option key={name} value={name}>
                    {rejected > 0 ? `${name} (${say.count(rejected)})` : name}
                  </option>
                ))}
              </select>
            </label>
          )
        }
      >
        <p className="dim data-small data-prose">{t('quarantine.intro')}</p>
        {chosen === null && <p className="data-empty">{t('streams.empty')}</p>}
        {chosen !== null && !isKnown && <p className="data-empty">{t('stream.missing', { name: chosen })}</p>}
        {chosen !== null && isKnown && <Lines key={chosen} stream={chosen} {...view} />}
      </Panel>
    </div>
  );
}

function Lines({ stream, search, say }: View & { stream: string }) {
  const { t } = say;
  const [limit, setLimit] = useState<number>(QUARANTINE_LIMITS[0]);
  const list = useQuery({ ...quarantineQuery(stream, limit), placeholderData: keepPreviousData });
  const all = list.data?.lines;
  const shown = useMemo(
    () => (search.reason === null ? all : all?.filter((line) => reasonKey(line) === search.reason)) ?? [],
    [all, search.reason],
  );
  if (!list.data) {
    if (list.error) return <Refusal error={list.error} onRetry={() => void list.refetch()} />;
    return <div className="skeleton data-skeleton-table" role="status" aria-label={t('loading')} />;
  }
  const { lines, truncated } = list.data;
  const next = QUARANTINE_LIMITS.find((one) => one > limit);
  return (
    <>
      {list.error && <Refusal error={list.error} onRetry={() => void list.refetch()} />}
      <ReplayPanel stream={stream} lines={lines.length} limit={limit} say={say} />
      {lines.length === 0 ? (
        <div className="data-clear" role="status">
          <CheckIcon />
          <div>
            <p className="data-clear-title">{t('quarantine.empty.title')}</p>
            <p>{t('quarantine.empty.text')}</p>
          </div>
        </div>
      ) : (
        <>
          <Reasons stream={stream} lines={lines} chosen={search.reason} say={say} />
          <p className="dim data-small" role="status">
            {search.reason !== null
              ? t('quarantine.shown', { shown: say.count(shown.length), all: say.count(lines.length) })
              : truncated && t('quarantine.newest', { count: say.count(lines.length) })}
          </p>
          {shown.length === 0 ? (
            <p className="data-empty">{t('quarantine.none')}</p>
          ) : (
            <LineTable lines={shown} say={say} />
          )}
          {truncated && (
            <div className="data-more">
              {next === undefined ? (
                <p className="dim data-small">{t('quarantine.limit')}</p>
              ) : (
                <button
                  type="button"
                  className="button"
                  disabled={list.isPlaceholderData}
                  onClick={() => setLimit(next)}
                >
                  {t('quarantine.more', { count: say.count(next) })}
                </button>
              )}
            </div>
          )}
        </>
      )}
    </>
  );
}

interface ReasonsProps {
  stream: string;
  lines: readonly QuarantinedLine[];
  chosen: string | null;
  say: Say;
}

/** Narrows the list to one kind of reason. */
function Reasons({ stream, lines, chosen, say }: ReasonsProps) {
  const { t } = say;
  const groups = useMemo(() => reasonGroups(lines), [lines]);
  const navigate = useNavigate({ from: '/data' });
  const choose = (reason: string | null) =>
    void navigate({ search: writeDataSearch({ tab: 'quarantine', stream, reason }), replace: true });
  return (
    <fieldset className="data-reasons" data-testid="reasons">
      <legend className="visually-hidden">{t('quarantine.reasons')}</legend>
      <button
        type="button"
        className="data-reason"
        aria-pressed={chosen === null}
        onClick={() => choose(null)}
      >
        {t('quarantine.all')} <span className="data-figure">{say.count(lines.length)}</span>
      </button>
      {groups.map(({ key, field, reason, count }) => (
        <button
          key={key}
          type="button"
          className="data-reason"
          aria-pressed={chosen === key}
          onClick={() => choose(chosen === key ? null : key)}
        >
          <span>
            {field && <code>{field}</code>} {reason}
          </span>{' '}
          <span className="data-figure">{say.count(count)}</span>
        </button>
      ))}
    </fieldset>
  );
}

/** Up to a thousand lines, which change only when they are loaded anew. */
const LineTable = memo(function LineTable({ lines, say }: { lines: readonly QuarantinedLine[]; say: Say }) {
  const { t } = say;
  const hasSources = lines.some(({ source }) => source !== undefined);
  const columns: Column<QuarantinedLine>[] = [
    {
      id: 'received',
      head: t('quarantine.column.received'),
      isNarrow: true,
      cell: ({ received_at }) => (
        <span className="data-when" title={say.exact(received_at)}>
          {say.time(received_at)}
        </span>
      ),
    },
    {
      id: 'line',
      head: t('quarantine.column.line'),
      isNarrow: true,
      isNumber: true,
      cell: ({ line }) => say.count(line),
    },
    {
      id: 'reason',
      head: t('quarantine.column.reason'),
      cell: ({ field, reason }) => (
        <span className="data-why">
          {field && <code>{field}</code>} {reason}
        </span>
      ),
    },
    { id: 'raw', head: t('quarantine.column.raw'), cell: ({ raw }) => <Raw text={raw} say={say} /> },
  ];
  if (hasSources) {
    columns.push({
      id: 'source',
      head: t('quarantine.column.source'),
      isNarrow: true,
      cell: ({ source }) => (source === undefined ? '–' : sourceName(source, say)),
    });
  }
  return (
    <DataTable
      label={t('quarantine.title')}
      columns={columns}
      rows={lines}
      rowKey={({ received_at, line }, index) => `${received_at} ${line} ${index}`}
      testId="quarantine-lines"
    />
  );
});

/** Longer lines are shown in part until somebody asks. */
const RAW_CHARS = 160;

function Raw({ text, say }: { text: string; say: Say }) {
  if (text.length <= RAW_CHARS) return <code className="data-raw">{text}</code>;
  return (
    <details className="data-raw-more">
      <summary aria-label={say.t('quarantine.expand')}>
        <code className="data-raw">{text.slice(0, RAW_CHARS)}…</code>
      </summary>
      <code className="data-raw">{text}</code>
    </details>
  );
}
