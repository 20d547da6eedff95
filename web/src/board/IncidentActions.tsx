import { useMutation } from '@tanstack/react-query';
import { postJson } from '../api/client';
import { incidentPath } from '../api/paths';
import type { Incident } from '../api/types';
import { useSpeech } from '../i18n/hooks';
import { problemText } from '../i18n/problem';
import { useHub } from '../live/hooks';
import { useMay } from '../shell/useMay';

const VERDICTS = ['real', 'false_alarm'] as const;

interface Action {
  action: 'acknowledge' | 'resolve' | 'feedback';
  verdict?: (typeof VERDICTS)[number];
}

/** What an operator can do about an incident from the board. The list changes when the server has said yes. */
export function IncidentActions({ incident }: { incident: Incident }) {
  const speech = useSpeech();
  const { t } = speech;
  const hub = useHub();
  const mayAct = useMay('operate');
  const act = useMutation({
    mutationFn: ({ action, ...body }: Action) =>
      postJson<Partial<Incident>>(incidentPath(incident.id, action), body),
    onSuccess: (answer) => {
      // The stream tells the change too; an answer that holds the incident is only sooner.
      if (answer?.id === incident.id && answer.updated_at) hub.takeIncidents([answer as Incident]);
    },
  });
  if (!mayAct) return null;
  return (
    <div className="incident-actions">
      {incident.state === 'open' && (
        <button
          type="button"
          className="button"
          disabled={act.isPending}
          onClick={() => act.mutate({ action: 'acknowledge' })}
        >
          {t('incident.acknowledge')}
        </button>
      )}
      {incident.state !== 'resolved' && (
        <button
          type="button"
          className="button"
          disabled={act.isPending}
          onClick={() => act.mutate({ action: 'resolve' })}
        >
          {t('incident.resolve')}
        </button>
      )}
      <fieldset className="incident-feedback">
        <legend>{t('feedback.question')}</legend>
        {VERDICTS.map((verdict) => (
          <button
            key={verdict}
            type="button"
            className="button"
            aria-pressed={incident.verdict === verdict}
            disabled={act.isPending}
            onClick={() => act.mutate({ action: 'feedback', verdict })}
          >
            {t(`feedback.${verdict}`)}
          </button>
        ))}
      </fieldset>
      {act.isError && (
        <p role="alert" className="incident-failed">
          {t('incident.failed', { reason: problemText(act.error, speech) })}
        </p>
      )}
    </div>
  );
}
