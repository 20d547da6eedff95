import { Denied } from '../shell/Denied';
import { useMay } from '../shell/useMay';
import type { View } from './DataPage';
import { DataTable } from './DataTable';
import type { CubeReport, VerifyReport, VerifyWork } from './documents';
import { Panel, Progress, ToneBadge } from './parts';
import { Refusal } from './Refusal';
import type { Say } from './say';
import { useWork, WorkState } from './work';

/** Verifies what the running server keeps. */
export function VerifyPanel({ say }: View) {
  const { t } = say;
  const { last, error, start, isRunning, isBusy } = useWork<VerifyWork>('verify');
  const mayStart = useMay('administer');
  return (
    <Panel title={t('verify.title')} testId="verify">
      <p className="dim data-small">{t('verify.text')}</p>
      <Denied right="administer" />
      {mayStart && (
        <div className="data-actions">
          <button
            type="button"
            className="button"
            disabled={isBusy}
            data-testid="verify-sample"
            onClick={() => start.mutate({ seed: randomSeed() })}
          >
            {t('verify.sample')}
          </button>
          <button
            type="button"
            className="button"
            disabled={isBusy}
            onClick={() => start.mutate({ all: true })}
          >
            {t('verify.all')}
          </button>
        </div>
      )}
      {start.error && <Refusal error={start.error} />}
      {error && !last && <Refusal error={error} />}
      {last ? (
        <div className="data-stack" data-testid="verify-last">
          <WorkState work={last} say={say} />
          {isRunning && <VerifyProgress progress={last.progress} say={say} />}
          {last.fault !== null && <p className="data-fault">{last.fault}</p>}
          {last.report && <Report report={last.report} say={say} />}
        </div>
      ) : (
        !error && <p className="dim data-small">{t('work.none')}</p>
      )}
    </Panel>
  );
}

/** A seed that this page can show as it is: those that the server takes by itself have more digits than a number here. */
function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

function placeName(place: string, { t }: Say): string {
  if (place === 'journal') return t('verify.journal');
  return place === 'state' ? t('verify.state') : place;
}

function VerifyProgress({ progress, say }: { progress: VerifyWork['progress']; say: Say }) {
  const { t } = say;
  let text = t('verify.starting');
  let share: number | null = null;
  if (progress?.cube) {
    text = t('verify.cube', { cube: progress.cube, count: say.count(progress.buckets) });
  } else if (progress?.place) {
    const { bytes, total_bytes } = progress;
    text = t('verify.place', {
      place: placeName(progress.place, say),
      done: say.bytes(bytes),
      total: say.bytes(total_bytes),
    });
    share = total_bytes > 0 ? Math.min(1, bytes / total_bytes) : null;
  }
  return (
    <div>
      <Progress label={t('verify.title')} share={share} />
      <p className="dim data-small data-figure" role="status">
        {text}
      </p>
    </div>
  );
}

/** So many faults of a place or cube are written out. */
const FAULTS_SHOWN = 10;

function Report({ report, say }: { report: VerifyReport; say: Say }) {
  const { t } = say;
  return (
    <>
      <p data-testid="verify-outcome">
        <ToneBadge tone={report.ok ? 'good' : 'bad'}>
          {report.ok ? t('verify.ok') : t('verify.faults')}
        </ToneBadge>{' '}
        {Number.isSafeInteger(report.seed) && (
          <span className="dim data-small">{t('verify.seed', { seed: String(report.seed) })}</span>
        )}
      </p>
      {report.places.length > 0 && (
        <>
          <h3>{t('verify.places')}</h3>
          <DataTable
            label={t('verify.places')}
            rows={report.places}
            rowKey={({ place }) => place}
            columns={[
              {
                id: 'place',
                head: t('verify.place.name'),
                isName: true,
                cell: ({ place, faults }) => (
                  <>
                    {placeName(place, say)}
                    {faults.slice(0, FAULTS_SHOWN).map(({ path, reason }) => (
                      <small key={`${path} ${reason}`} className="data-fault">
                        {path}: {reason}
                      </small>
                    ))}
                    <More count={faults.length - FAULTS_SHOWN} say={say} />
                  </>
                ),
              },
              {
                id: 'files',
                head: t('verify.place.files'),
                isNumber: true,
                cell: ({ files }) => say.count(files),
              },
              {
                id: 'entries',
                head: t('verify.place.entries'),
                isNumber: true,
                cell: ({ entries }) => say.count(entries),
              },
              {
                id: 'bytes',
                head: t('verify.place.bytes'),
                isNumber: true,
                cell: ({ bytes }) => say.bytes(bytes),
              },
              {
                id: 'faults',
                head: t('verify.place.faults'),
                isNumber: true,
                cell: ({ faults }) => say.count(faults.length),
              },
            ]}
          />
        </>
      )}
      {report.cubes.length > 0 && (
        <>
          <h3>{t('verify.cubes')}</h3>
          <DataTable
            label={t('verify.cubes')}
            rows={report.cubes}
            rowKey={({ cube }) => cube}
            columns={[
              {
                id: 'cube',
                head: t('verify.cube.name'),
                isName: true,
                cell: (cube) => <CubeFaults report={cube} say={say} />,
              },
              {
                id: 'buckets',
                head: t('verify.cube.buckets'),
                isNumber: true,
                cell: ({ buckets }) => say.count(buckets),
              },
              {
                id: 'figures',
                head: t('verify.cube.figures'),
                isNumber: true,
                cell: ({ figures }) => say.count(figures),
              },
              {
                id: 'differences',
                head: t('verify.cube.differences'),
                isNumber: true,
                cell: ({ differences }) => say.count(differences),
              },
              {
                id: 'skipped',
                head: t('verify.cube.skipped'),
                isNumber: true,
                cell: ({ skipped }) => say.count(skipped),
              },
            ]}
          />
        </>
      )}
    </>
  );
}

function CubeFaults({ report, say }: { report: CubeReport; say: Say }) {
  const { t, speech } = say;
  return (
    <>
      {report.cube}
      {report.fault !== null && <small className="data-fault">{report.fault}</small>}
      {report.described.slice(0, FAULTS_SHOWN).map(({ bucket, key, measure, kept, recounted }) => {
        const slice = Object.entries(key).map(([name, value]) => `${name}=${speech.sliceValue(value)}`);
        const text = t('verify.difference', {
          bucket: say.exact(bucket),
          key: slice.join(', ') || '–',
          measure: measure ?? '–',
          kept: kept ?? '–',
          recounted: recounted ?? '–',
        });
        return (
          <small key={text} className="data-fault">
            {text}
          </small>
        );
      })}
      <More count={Math.max(report.differences, report.described.length) - FAULTS_SHOWN} say={say} />
    </>
  );
}

function More({ count, say }: { count: number; say: Say }) {
  if (count <= 0) return null;
  return <small>{say.t('verify.more', { count: say.count(count) })}</small>;
}
