import { useQuery } from '@tanstack/react-query';
import { metricsQuery } from '../api/queries';
import type { View } from './DataPage';
import { type Column, DataTable } from './DataTable';
import type { CubeDocument } from './documents';
import { Panel } from './parts';

/** The cubes: what they hold in memory and in history, and what is known not to be whole. */
export function CubeTable({ snapshot, say }: View) {
  const { t } = say;
  const { cubes } = snapshot.status;
  const metrics = useQuery(metricsQuery);
  const metricsOf = (cube: string) =>
    [...(metrics.data?.values() ?? [])].filter(({ of }) => of === cube).map(({ name }) => name);
  const columns: Column<CubeDocument>[] = [
    {
      id: 'name',
      head: t('cubes.column.name'),
      isName: true,
      cell: (cube) => {
        const names = metricsOf(cube.name);
        return (
          <>
            <span className="ellipsis">{cube.name}</span>
            {names.length > 0 && (
              <small className="data-names">{t('cubes.metrics', { names: names.join(', ') })}</small>
            )}
            {cube.failed > 0 && (
              <small className="data-fault">{t('cubes.failed', { count: say.count(cube.failed) })}</small>
            )}
          </>
        );
      },
    },
    {
      id: 'memory',
      head: t('cubes.column.memory'),
      isNumber: true,
      cell: ({ rows, bytes, chunks }) => (
        <>
          {t('cubes.rows', { count: say.count(rows) })}
          <small>{t('cubes.chunks', { bytes: say.bytes(bytes), count: say.count(chunks) })}</small>
        </>
      ),
    },
    {
      id: 'stored',
      head: t('cubes.column.stored'),
      isNumber: true,
      cell: ({ stored_rows, stored_bytes, stored_files }) => (
        <>
          {t('cubes.rows', { count: say.count(stored_rows) })}
          <small>
            {t('cubes.files', { bytes: say.bytes(stored_bytes), count: say.count(stored_files) })}
          </small>
        </>
      ),
    },
    {
      id: 'combinations',
      head: t('cubes.column.combinations'),
      isNumber: true,
      cell: ({ combinations, other_rows }) => (
        <>
          {say.count(combinations)}
          {other_rows > 0 && (
            <small className="data-warning">{t('cubes.other', { count: say.count(other_rows) })}</small>
          )}
        </>
      ),
    },
    {
      id: 'revised',
      head: t('cubes.column.revised'),
      isNumber: true,
      cell: ({ revised_buckets, revised_events, revised_known_from }) => (
        <>
          {say.count(revised_buckets)}
          {revised_events > 0 && <small>{t('cubes.revised', { count: say.count(revised_events) })}</small>}
          {revised_known_from !== null && (
            <small>{t('cubes.known', { time: say.time(revised_known_from) })}</small>
          )}
        </>
      ),
    },
    {
      id: 'covers',
      head: t('cubes.column.covers'),
      isNumber: true,
      cell: ({ covers_from }) => (covers_from === null ? t('cubes.all') : say.time(covers_from)),
    },
  ];
  return (
    <Panel title={t('cubes.title')} testId="cubes">
      {cubes.length === 0 ? (
        <p className="data-empty">{t('cubes.empty')}</p>
      ) : (
        <DataTable
          label={t('cubes.title')}
          columns={columns}
          rows={cubes}
          rowKey={({ name }) => name}
          testId="cube-table"
        />
      )}
    </Panel>
  );
}
