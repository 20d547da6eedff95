import { ApiError } from '../api/client';
import { useSpeech } from '../i18n/hooks';
import { faultsIn } from './calls';
import { FaultList } from './FaultList';
import { definitionTexts } from './texts';

interface Props {
  error: Error | null;
  /** The file on the screen. */
  file?: string;
  /** What has failed, where that is not a save. */
  title?: string;
}

/** Why a write was refused, with the faults where those are why. */
export function Refused({ error, file, title }: Props) {
  const t = definitionTexts.use();
  const { t: say } = useSpeech();
  if (!error) return null;
  const faults = faultsIn(error);
  const { status, problem } = error instanceof ApiError ? error : { status: null, problem: null };
  const told = status === 0 ? say('state.unreachable') : (problem?.detail ?? problem?.title ?? error.message);
  return (
    <div className="def-refused" role="alert" data-testid="def-refused" data-status={status ?? ''}>
      <p className="def-refused-title">
        {title ?? t(faults ? 'refused.faults' : status === 403 ? 'refused.role' : 'refused.title')}
      </p>
      {faults ? (
        <FaultList faults={faults} {...(file === undefined ? {} : { file })} />
      ) : (
        <p>
          {told}
          {problem?.suggestion ? ` – ${problem.suggestion}` : ''}
        </p>
      )}
    </div>
  );
}
