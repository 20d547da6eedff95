import { useSyncExternalStore } from 'react';
import { Denied } from '../shell/Denied';
import { useMay } from '../shell/useMay';
import { uploadStore } from './csv/upload';
import type { View } from './DataPage';
import { Panel } from './parts';
import { UploadForm } from './UploadForm';
import { UploadProgress } from './UploadProgress';

/** A file on its way to a stream, or the choice of one. */
export function UploadTab(view: View) {
  const upload = useSyncExternalStore(uploadStore.subscribe, uploadStore.get);
  const { t } = view.say;
  const maySend = useMay('ingest');
  return (
    <Panel title={t('upload.title')} testId="upload">
      <p className="dim data-small data-prose">{t('upload.intro')}</p>
      <Denied right="ingest" />
      {!maySend ? null : view.snapshot.status.streams.length === 0 ? (
        <p className="data-empty">{t('streams.empty')}</p>
      ) : upload ? (
        <UploadProgress upload={upload} say={view.say} />
      ) : (
        <UploadForm {...view} />
      )}
    </Panel>
  );
}
