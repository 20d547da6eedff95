import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Right } from '../api/access';
import { accessQuery } from '../api/queries';
import { useSpeech } from '../i18n/hooks';
import { Denied } from './Denied';
import { Message } from './Message';

/** A page that is of no use without a right: whoever lacks it is told so instead of writing for nothing. */
export function OnlyWith({ right, children }: { right: Right; children: ReactNode }) {
  const { t } = useSpeech();
  const { data } = useQuery(accessQuery);
  if (!data || data.may.includes(right)) return children;
  return (
    <Message title={t('access.notYours')}>
      <Denied right={right} />
    </Message>
  );
}
