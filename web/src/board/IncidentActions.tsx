import { useMutation } from '@tanstack/react-query';
import { postJson } from '../api/client';
import { incidentPath } from '../api/paths';
import type { Incident } from '../api/types';
import { useSpeech } from '../i18n/hooks';
import { useHub } from '../live/hooks';

/** What an operator can do about an incident from the board. The list changes when the server has said yes. */
export function IncidentActions({ incident }: { incident: Incident }) {
  const { t } = useSpeech();
  const hub = useHub();
  const act = useMutation({
    mutationFn: (action: 'acknowledge' | 'resolve') =>
      postJson<Partial<Incident>>(incidentPath(incident.id, action), {}),
    onSuccess: (answer) => {
      // The stream tells the change too; an answer that holds the incident is only sooner.
      if (answer?.id === incident.id && answer.updated_at) hub.takeIncidents([answer as Incident]);
    },
  });
  return (
    <div className="incident-actions">
      {incident.state === 'open' && (
        <button
          type="button"
          className="button"
          disabled={act.isPending}
          onClick={() => act.mutate('acknowledge')}
        >
          {t('incident.acknowledge')}
        </button>
      )}
      <button type="button" className="button" disabled={act.isPending} onClick={() => act.mutate('resolve')}>
        {t('incident.resolve')}
      </button>
      {act.isError && (
        <p role="alert" className="incident-failed">
          {t('incident.failed', { reason: act.error.message })}
        </p>
      )}
    </div>
  );
}
