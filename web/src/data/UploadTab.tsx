import { Link } from '@tanstack/react-router';
import { useRef, useSyncExternalStore } from 'react';
import { Denied } from '../shell/Denied';
import { useMay } from '../shell/useMay';
import { uploadStore } from './csv/upload';
import type { View } from './DataPage';
import { Panel } from './parts';
import { ways, writeDataSearch } from './search';
import { UploadForm } from './UploadForm';
import { UploadProgress } from './UploadProgress';
import { walkTexts } from './walk/texts';
import { Walk } from './walk/Walk';
import { walkStore } from './walk/walk';

/** A file on its way to a stream, or the choice of one: a stream that is there, or a new one that the file makes. */
export function UploadTab(view: View) {
  const upload = useSyncExternalStore(uploadStore.subscribe, uploadStore.get);
  const walk = useSyncExternalStore(walkStore.subscribe, walkStore.get);
  const { t } = view.say;
  const say = walkTexts.use();
  const { search, snapshot } = view;
  const maySend = useMay('ingest');
  const hasStreams = snapshot.status.streams.length > 0;
  // Who goes back to the first step is still on the way to a new stream.
  const hasWalked = useRef(false);
  if (walk) hasWalked.current = true;
  const usual = hasStreams && !hasWalked.current ? 'existing' : 'new';
  const way = walk ? 'new' : (search.way ?? usual);
  const isChoice = maySend && hasStreams && walk === null && upload === null;
  return (
    <Panel title={t('upload.title')} testId="upload">
      {isChoice && (
        <nav className="walk-ways" aria-label={say('ways.label')}>
          {ways.map((one) => (
            <Link
              key={one}
              to="/data"
              search={writeDataSearch({ tab: 'upload', way: one, stream: search.stream })}
              className="walk-way"
              data-way={one}
              aria-current={one === way ? 'true' : undefined}
            >
              {say(`way.${one}`)}
            </Link>
          ))}
        </nav>
      )}
      {way === 'existing' && <p className="dim data-small data-prose">{t('upload.intro')}</p>}
      <Denied right="ingest" />
      {!maySend ? null : upload && !walk ? (
        <UploadProgress upload={upload} say={view.say} />
      ) : way === 'new' ? (
        <Walk {...view} />
      ) : (
        <UploadForm {...view} />
      )}
    </Panel>
  );
}
