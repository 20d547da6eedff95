import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';
import { CheckLine } from '../../definitions/CheckLine';
import { ClosedNote } from '../../definitions/ClosedNote';
import { CopyYaml } from '../../definitions/CopyYaml';
import { type Fault, folderQuery, forgetOld, type Guard, saveFile } from '../../definitions/calls';
import { FaultList } from '../../definitions/FaultList';
import { Refused } from '../../definitions/Refused';
import { useCheck } from '../../definitions/useCheck';
import { useWriting } from '../../definitions/writing';
import { YamlBox } from '../../definitions/YamlBox';
import type { YamlHandle } from '../../definitions/YamlEditor';
import { snapshotQuery } from '../calls';
import type { View } from '../DataPage';
import { Progress } from '../parts';
import { ExistsNote, isTaken } from './ExistsNote';
import { streamIn } from './propose';
import { walkTexts } from './texts';
import { change, edit, rename, send, type Walk } from './walk';

const NAME = /^[a-z][a-z0-9_]{0,62}$/;
const FILE = /^[\w-]+(\/[\w-]+)*\.ya?ml$/;
/** A new stream is there within a second of the reload. */
const LOOK_AGAIN_MS = 700;

/** The definitions as they would be kept: under which name, checked while they are changed, saved or copied. */
export function DefinitionStep(view: View & { walk: Walk }) {
  const { walk, snapshot } = view;
  const t = walkTexts.use();
  const queries = useQueryClient();
  const writing = useWriting();
  const folder = useQuery(folderQuery).data;
  const editor = useRef<YamlHandle>(null);
  const taken = isTaken(view);
  const isClosed = writing.state === 'closed';
  const check = useCheck(walk.target, isClosed || taken || !FILE.test(walk.target) ? null : walk.yaml);
  const isThere = snapshot.status.streams.some(({ name }) => name === walk.stream);
  const hasStream = streamIn(walk.yaml) !== null || !walk.isEdited;

  const saving = useMutation({
    mutationFn: async () => {
      const etag = walk.saved?.file === walk.target ? walk.saved.etag : undefined;
      const guard: Guard = !etag ? { kind: 'new' } : { kind: 'tag', etag };
      const saved = await saveFile(walk.target, walk.yaml, guard);
      change({ saved });
      await forgetOld(queries);
    },
  });
  const isWaiting = walk.saved !== null && saving.isSuccess && !isThere;
  // What was saved is in force soon; then the file follows by itself.
  useEffect(() => {
    if (saving.isSuccess && isThere) send();
  }, [saving.isSuccess, isThere]);
  const isWatching = isWaiting || isClosed;
  useEffect(() => {
    if (!isWatching || isThere) return;
    const timer = setInterval(
      () => void queries.invalidateQueries({ queryKey: snapshotQuery.queryKey }),
      LOOK_AGAIN_MS,
    );
    return () => clearInterval(timer);
  }, [isWatching, isThere, queries]);

  const reveal = (fault: Fault) => editor.current?.reveal(fault);
  const faults = check.faults ?? [];
  const isReady = hasStream && FILE.test(walk.target) && !taken && !saving.isPending && !isWaiting;
  return (
    <>
      <p className="data-small data-prose">{t('definition.text')}</p>
      <div className="data-fields">
        <NameField {...view} taken={new Set(folder?.files.map(({ file }) => file))} />
        {!isClosed && <TargetField walk={walk} />}
      </div>
      {/* Where nothing can be saved from here, the stream that appears is the one that was waited for. */}
      {!isClosed && <ExistsNote {...view} />}
      <YamlBox
        ref={editor}
        text={walk.yaml}
        label={t('definition.label', { stream: walk.stream })}
        isReadOnly={false}
        spots={faults.filter(({ file }) => file === walk.target || file === '')}
        onChange={edit}
        onSave={() => isReady && writing.state === 'open' && saving.mutate()}
      />
      {!hasStream && <p className="data-fault data-small">{t('definition.noStream')}</p>}
      {!isClosed && <CheckLine check={check} />}
      <FaultList faults={faults} file={walk.target} onReveal={reveal} />
      <ClosedNote writing={writing} />
      {saving.error && <Refused error={saving.error} file={walk.target} />}
      {(isWaiting || (isClosed && !isThere)) && (
        <div role="status" className="data-small" data-testid="walk-waiting">
          <p>{t(isWaiting ? 'definition.waiting' : 'definition.waitingFor', { stream: walk.stream })}</p>
          <Progress label={t('step.definition')} share={null} />
        </div>
      )}
      {isClosed && isThere && (
        <p role="status" className="def-note" data-tone="good">
          {t('definition.there', { stream: walk.stream })}
        </p>
      )}
      <div className="data-actions">
        <button type="button" className="button" onClick={() => change({ step: 'fields' })}>
          {t('back')}
        </button>
        {isClosed ? (
          <>
            <CopyYaml text={walk.yaml} file={walk.target} />
            <button
              type="button"
              className="button button-main"
              disabled={!isThere}
              data-testid="walk-upload"
              onClick={send}
            >
              {t('definition.upload')}
            </button>
          </>
        ) : (
          <button
            type="button"
            className="button button-main"
            disabled={!isReady || writing.state !== 'open'}
            data-testid="walk-save"
            onClick={() => saving.mutate()}
          >
            {t(saving.isPending ? 'definition.saving' : 'definition.save')}
          </button>
        )}
      </div>
    </>
  );
}

/** The name of the stream. The server writes the text anew for another one, as long as nobody has changed it. */
function NameField({ walk, taken }: { walk: Walk; taken: ReadonlySet<string> }) {
  const t = walkTexts.use();
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const renaming = useMutation({
    mutationFn: (name: string) => rename(name, taken),
    onSuccess: () => setTyped(null),
  });
  const name = typed ?? walk.stream;
  const isBad = !NAME.test(name);
  const isLocked = walk.isEdited;
  const take = () => {
    if (typed === null || isBad || isLocked) return;
    if (typed === walk.stream) return setTyped(null);
    renaming.mutate(typed);
  };
  return (
    <div className="data-field">
      <label htmlFor={id}>{t('name.label')}</label>
      <input
        id={id}
        type="text"
        value={name}
        maxLength={63}
        spellCheck={false}
        autoComplete="off"
        readOnly={isLocked || walk.saved !== null}
        aria-invalid={isBad || undefined}
        aria-describedby={`${id}-hint`}
        data-testid="walk-name"
        onChange={({ target }) => setTyped(target.value)}
        onBlur={take}
        onKeyDown={(event) => {
          if (event.key === 'Enter') take();
        }}
      />
      <p id={`${id}-hint`} className={isBad ? 'data-fault' : 'dim'}>
        {isBad ? t('name.bad') : isLocked ? t('name.edited') : t('name.hint')}
      </p>
      {isLocked && walk.saved === null && (
        <button type="button" className="button" onClick={() => renaming.mutate(walk.stream)}>
          {t('name.again')}
        </button>
      )}
      {renaming.error && <Refused error={renaming.error} />}
    </div>
  );
}

function TargetField({ walk }: { walk: Walk }) {
  const t = walkTexts.use();
  const id = useId();
  const isBad = !FILE.test(walk.target);
  return (
    <div className="data-field">
      <label htmlFor={id}>{t('target.label')}</label>
      <input
        id={id}
        type="text"
        value={walk.target}
        maxLength={200}
        spellCheck={false}
        autoComplete="off"
        readOnly={walk.saved !== null}
        aria-invalid={isBad || undefined}
        data-testid="walk-target"
        onChange={({ target }) => change({ target: target.value.trim() })}
      />
    </div>
  );
}
