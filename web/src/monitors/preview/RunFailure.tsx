import { ApiError } from '../../api/client';
import { Faults, type ShownFault } from '../form/Field';
import { useTexts } from '../texts';

interface Props {
  error: Error;
  /** Faults of the definition that no control of the form is about. */
  general: readonly ShownFault[];
  isDefinition: boolean;
}

/** Why nothing could be tested, and what to do. */
export function RunFailure({ error, general, isDefinition }: Props) {
  const t = useTexts();
  const problem = error instanceof ApiError ? error.problem : null;
  const isLate = error instanceof ApiError && error.status === 504;
  return (
    <div className="run-failure" role="alert" data-testid="run-failure">
      <p className="panel-error-title">{t(isDefinition ? 'preview.faults' : 'preview.failed')}</p>
      {isDefinition && <p>{t('preview.faultsAt')}</p>}
      {!isDefinition && <p>{problem?.detail ?? problem?.title ?? error.message}</p>}
      {isLate && <p>{t('preview.late')}</p>}
      <Faults id="general-faults" faults={general} />
    </div>
  );
}
