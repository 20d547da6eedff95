import { useEffect, useSyncExternalStore } from 'react';
import { uploadStore } from '../csv/upload';
import type { View } from '../DataPage';
import { UploadProgress } from '../UploadProgress';
import { BoardStep } from './BoardStep';
import { DefinitionStep } from './DefinitionStep';
import { FieldsStep } from './FieldsStep';
import { FileStep } from './FileStep';
import { walkTexts } from './texts';
import { change, leave, type Step, steps, type Walk as WalkState, walkStore } from './walk';
import './walk.css';

/** From a file to a board, step by step; each can be gone back to. */
export function Walk(view: View) {
  const walk = useSyncExternalStore(walkStore.subscribe, walkStore.get);
  return (
    <div className="walk" data-testid="walk" data-step={walk?.step ?? 'file'}>
      <Steps walk={walk} />
      {walk === null ? (
        <FileStep {...view} />
      ) : walk.step === 'fields' ? (
        <FieldsStep {...view} walk={walk} />
      ) : walk.step === 'definition' ? (
        <DefinitionStep {...view} walk={walk} />
      ) : (
        <UploadStep {...view} walk={walk} />
      )}
    </div>
  );
}

function UploadStep(view: View & { walk: WalkState }) {
  const { walk, say } = view;
  const upload = useSyncExternalStore(uploadStore.subscribe, uploadStore.get);
  // The button for another file has taken the upload away: the walk begins anew.
  useEffect(() => {
    if (upload === null) leave();
  }, [upload]);
  if (!upload) return null;
  return (
    <>
      <UploadProgress upload={upload} say={say} />
      {walk.step === 'board' && <BoardStep {...view} walk={walk} />}
      <UploadEnd walk={walk} />
    </>
  );
}

/** Goes on to the board as soon as the file is in. */
function UploadEnd({ walk }: { walk: WalkState }) {
  const upload = uploadStore.get();
  const state = useSyncExternalStore(
    upload?.store.subscribe ?? (() => () => {}),
    () => upload?.store.get().phase ?? null,
  );
  useEffect(() => {
    if (state === 'done' && walk.step === 'upload') change({ step: 'board' });
  }, [state, walk.step]);
  return null;
}

function Steps({ walk }: { walk: WalkState | null }) {
  const t = walkTexts.use();
  const current: Step = walk?.step ?? 'file';
  const at = steps.indexOf(current);
  const upload = useSyncExternalStore(uploadStore.subscribe, uploadStore.get);
  const phase = useSyncExternalStore(
    upload?.store.subscribe ?? (() => () => {}),
    () => upload?.store.get().phase ?? null,
  );
  const isUnderWay = upload !== null && (phase === 'sending' || phase === 'waiting');
  const go = (step: Step) => {
    if (step === 'file') return leave();
    if (step === 'fields' || step === 'definition') {
      uploadStore.set(null);
      change({ step });
    }
  };
  return (
    <nav aria-label={t('steps.label')}>
      <ol className="walk-steps">
        {steps.map((step, i) => {
          const isPast = i < at && step !== 'upload' && !isUnderWay;
          const label = (
            <>
              <span className="walk-number">{i + 1}</span> {t(`step.${step}`)}
            </>
          );
          return (
            <li key={step} data-done={i < at || undefined} aria-current={i === at ? 'step' : undefined}>
              {isPast ? (
                <button type="button" className="walk-step" data-go={step} onClick={() => go(step)}>
                  {label}
                </button>
              ) : (
                <span className="walk-step">{label}</span>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
