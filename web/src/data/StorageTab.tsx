import { CubeTable } from './CubeTable';
import type { View } from './DataPage';
import { type Column, DataTable } from './DataTable';
import type { StreamDocument } from './documents';
import { Facts, Meter, Panel, ToneBadge } from './parts';
import type { Tone } from './signs';
import type { DataKey } from './texts/en';

/** Where things are kept, and how much room they take. */
export function StorageTab(view: View) {
  return (
    <div className="data-stack">
      <div className="data-columns">
        <DiskPanel {...view} />
        <MemoryPanel {...view} />
        <JournalPanel {...view} />
        <HistoryPanel {...view} />
      </div>
      <CubeTable {...view} />
      <EventTables {...view} />
    </div>
  );
}

function sum<R>(rows: readonly R[], of: (row: R) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}

function DiskPanel({ snapshot, say }: View) {
  const { t } = say;
  const { journal, streams, cubes } = snapshot.status;
  const parts = [
    { name: t('storage.disk.journal'), bytes: journal.bytes },
    { name: t('storage.disk.events'), bytes: sum(streams, ({ stored_bytes }) => stored_bytes) },
    { name: t('storage.disk.cubes'), bytes: sum(cubes, ({ stored_bytes }) => stored_bytes) },
  ];
  const held = sum(parts, ({ bytes }) => bytes);
  return (
    <Panel title={t('storage.disk')} testId="disk">
      <Meter label={t('storage.disk')} parts={parts} max={held} />
      <Facts
        facts={[
          [
            t('storage.disk.free'),
            journal.free_bytes === null ? t('storage.disk.unknown') : say.bytes(journal.free_bytes),
          ],
        ]}
      />
      <p className="dim data-small">{t('storage.disk.min', { bytes: say.bytes(journal.free_bytes_min) })}</p>
    </Panel>
  );
}

const memoryParts = ['ingest', 'queries', 'caches', 'cubes', 'dedup', 'index', 'other'] as const;

function MemoryPanel({ snapshot, say }: View) {
  const { t } = say;
  const { memory } = snapshot.status;
  const parts = memory.parts.map(({ part, bytes, refused }) => {
    const known = memoryParts.find((one) => one === part);
    const note = refused > 0 ? t('storage.memory.refused', { count: say.count(refused) }) : null;
    return { name: known ? t(`memory.${known}`) : part, bytes, note };
  });
  return (
    <Panel
      title={t('storage.memory')}
      testId="memory"
      aside={
        <span className="dim data-small data-figure">
          {t('storage.memory.of', { bytes: say.bytes(memory.bytes), max: say.bytes(memory.bytes_max) })}
        </span>
      }
    >
      <Meter label={t('storage.memory')} parts={parts} max={Math.max(memory.bytes_max, memory.bytes)} />
    </Panel>
  );
}

const journalStates: Record<string, [DataKey, Tone]> = {
  writable: ['journal.writable', 'good'],
  opening: ['journal.opening', 'quiet'],
  disk_low: ['journal.disk_low', 'warning'],
  poisoned: ['journal.poisoned', 'bad'],
};

const historyStates: Record<string, [DataKey, Tone]> = {
  ok: ['history.ok', 'good'],
  opening: ['history.opening', 'quiet'],
  failing: ['history.failing', 'bad'],
};

function JournalPanel({ snapshot, say }: View) {
  const { t } = say;
  const { journal } = snapshot.status;
  const [key, tone] = journalStates[journal.state] ?? [null, 'quiet' as const];
  return (
    <Panel
      title={t('storage.journal')}
      testId="journal"
      aside={<ToneBadge tone={tone}>{key ? t(key) : journal.state}</ToneBadge>}
    >
      {journal.fault !== null && <p className="data-fault">{journal.fault}</p>}
      <Facts
        facts={[
          [t('storage.journal.bytes'), say.bytes(journal.bytes)],
          [t('storage.journal.segments'), say.count(journal.segments)],
          [
            t('storage.journal.durable'),
            journal.durable_to === null ? '–' : <code key="to">{journal.durable_to}</code>,
          ],
          [
            t('storage.journal.queued'),
            t('storage.journal.queued.value', {
              batches: say.count(journal.queued_batches),
              bytes: say.bytes(journal.queued_bytes),
            }),
          ],
          [t('storage.journal.high'), say.bytes(journal.queued_bytes_high)],
          [t('storage.journal.refused'), say.count(journal.refused_full)],
        ]}
      />
    </Panel>
  );
}

function HistoryPanel({ snapshot, say, nowMs }: View) {
  const { t } = say;
  const { history } = snapshot.status;
  const [key, tone] = historyStates[history.state] ?? [null, 'quiet' as const];
  return (
    <Panel
      title={t('storage.history')}
      testId="history"
      aside={<ToneBadge tone={tone}>{key ? t(key) : history.state}</ToneBadge>}
    >
      {history.fault !== null && <p className="data-fault">{history.fault}</p>}
      <Facts
        facts={[
          [
            t('storage.history.flushed'),
            history.flushed_at === null
              ? t('storage.history.flushed.none')
              : say.ago(history.flushed_at, nowMs),
            say.exact(history.flushed_at),
          ],
          [
            t('storage.history.place'),
            history.flushed_to === null ? '–' : <code key="to">{history.flushed_to}</code>,
          ],
          [t('storage.history.unflushed'), say.count(history.unflushed_events)],
          [t('storage.history.compactions'), say.count(history.compactions)],
          [t('storage.history.rollups'), say.count(history.roll_ups)],
          [t('storage.history.expired'), say.count(history.files_expired)],
          [t('storage.history.deleted'), say.count(history.files_deleted)],
        ]}
      />
      <p className="dim data-small">{t('storage.history.since')}</p>
    </Panel>
  );
}

function EventTables({ snapshot, say }: View) {
  const { t } = say;
  const { streams } = snapshot.status;
  const since = (time: string | null) => (time === null ? t('stream.kept.all') : say.time(time));
  const columns: Column<StreamDocument>[] = [
    {
      id: 'name',
      head: t('tables.column.name'),
      isName: true,
      cell: ({ name }) => <span className="ellipsis">{name}</span>,
    },
    {
      id: 'events',
      head: t('tables.column.events'),
      isNumber: true,
      cell: ({ stored_events }) => say.count(stored_events),
    },
    {
      id: 'bytes',
      head: t('tables.column.bytes'),
      isNumber: true,
      cell: ({ stored_bytes }) => say.bytes(stored_bytes),
    },
    {
      id: 'files',
      head: t('tables.column.files'),
      isNumber: true,
      cell: ({ stored_files }) => say.count(stored_files),
    },
    {
      id: 'kept',
      head: t('tables.column.kept'),
      isNumber: true,
      cell: ({ events_kept_from }) => since(events_kept_from),
    },
    {
      id: 'rejects',
      head: t('tables.column.rejects'),
      isNumber: true,
      cell: ({ rejects_kept_from }) => since(rejects_kept_from),
    },
  ];
  return (
    <Panel title={t('tables.title')} testId="tables">
      {streams.length === 0 ? (
        <p className="data-empty">{t('tables.empty')}</p>
      ) : (
        <DataTable label={t('tables.title')} columns={columns} rows={streams} rowKey={({ name }) => name} />
      )}
    </Panel>
  );
}
