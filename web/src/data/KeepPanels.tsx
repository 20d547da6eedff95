import { type FormEvent, useId, useState } from 'react';
import { Denied } from '../shell/Denied';
import { useMay } from '../shell/useMay';
import type { View } from './DataPage';
import type { BackupWork, MaintainWork } from './documents';
import { Facts, Panel, Progress } from './parts';
import { Refusal } from './Refusal';
import { useWork, WorkState } from './work';

/** Backs up the running server. */
export function BackupPanel({ say }: View) {
  const { t } = say;
  const id = useId();
  const [name, setName] = useState('');
  const { last, error, start, isRunning, isBusy } = useWork<BackupWork>('backup');
  const mayStart = useMay('administer');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const text = name.trim();
    start.mutate(text === '' ? {} : { name: text }, { onSuccess: () => setName('') });
  };
  return (
    <Panel title={t('backup.title')} testId="backup">
      <p className="dim data-small">{t('backup.text')}</p>
      <Denied right="administer" />
      {mayStart && (
        <form className="data-inline-form" onSubmit={submit}>
          <div className="data-field">
            <label htmlFor={id}>{t('backup.name')}</label>
            <input
              id={id}
              value={name}
              maxLength={100}
              placeholder={t('backup.name.hint')}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setName(event.target.value)}
            />
          </div>
          <button type="submit" className="button" disabled={isBusy} data-testid="backup-start">
            {t('backup.start')}
          </button>
        </form>
      )}
      {start.error && <Refusal error={start.error} />}
      {error && !last && <Refusal error={error} />}
      {isRunning && <Progress label={t('backup.title')} share={null} />}
      {last ? (
        <div data-testid="backup-last">
          <WorkState work={last} say={say} />
          {last.fault !== null && <p className="data-fault">{last.fault}</p>}
          <p className="data-small">
            <code>{last.path}</code>
          </p>
          {last.state === 'done' && (
            <p className="dim data-small">
              {t('backup.files', { bytes: say.bytes(last.bytes), files: say.count(last.files) })}
            </p>
          )}
        </div>
      ) : (
        !error && <p className="dim data-small">{t('work.none')}</p>
      )}
    </Panel>
  );
}

/** Does at once what the server does by itself in its own time. */
export function MaintainPanel({ say }: View) {
  const { t } = say;
  const { last, error, start, isRunning, isBusy } = useWork<MaintainWork>('maintain');
  const mayStart = useMay('administer');
  return (
    <Panel title={t('maintain.title')} testId="maintain">
      <p className="dim data-small">{t('maintain.text')}</p>
      <Denied right="administer" />
      {mayStart && (
        <div className="data-actions">
          <button
            type="button"
            className="button"
            disabled={isBusy}
            data-testid="maintain-start"
            onClick={() => start.mutate({})}
          >
            {t('maintain.start')}
          </button>
        </div>
      )}
      {start.error && <Refusal error={start.error} />}
      {error && !last && <Refusal error={error} />}
      {isRunning && <Progress label={t('maintain.title')} share={null} />}
      {last ? (
        <div data-testid="maintain-last">
          <WorkState work={last} say={say} />
          {last.fault !== null && <p className="data-fault">{last.fault}</p>}
          <Facts
            facts={[
              [t('maintain.flushed'), say.count(last.flushed_events)],
              [t('maintain.segments'), say.count(last.journal_segments)],
              [t('maintain.compactions'), say.count(last.compactions)],
              [t('maintain.rollups'), say.count(last.roll_ups)],
              [t('maintain.files'), say.count(last.files_replaced)],
              [t('maintain.expired'), say.count(last.files_expired)],
              [t('maintain.deleted'), say.count(last.files_deleted)],
            ]}
          />
          {last.deletion_deferred && <p className="data-small">{t('maintain.deferred')}</p>}
        </div>
      ) : (
        !error && <p className="dim data-small">{t('work.none')}</p>
      )}
    </Panel>
  );
}
