import { useQuery } from '@tanstack/react-query';
import type { Right } from '../api/access';
import { accessQuery } from '../api/queries';
import { useSpeech } from '../i18n/hooks';

/** Stands where something is not offered, and says why: which role it takes, and which one there is. */
export function Denied({ right }: { right: Right }) {
  const { t } = useSpeech();
  const { data } = useQuery(accessQuery);
  if (!data || data.may.includes(right)) return null;
  return (
    <p className="denied dim" data-testid="denied" data-right={right}>
      {t(`access.denied.${right}`, { role: data.role })}
    </p>
  );
}
