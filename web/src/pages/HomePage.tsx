import { useQuery } from '@tanstack/react-query';
import { Link, Navigate, useSearch } from '@tanstack/react-router';
import { boardsQuery } from '../api/queries';
import { BoardSkeleton } from '../board/BoardSkeleton';
import { PanelError } from '../board/PanelError';
import { useSpeech } from '../i18n/hooks';
import { Message } from '../shell/Message';

/** The first board is the home page. */
export function HomePage() {
  const { t } = useSpeech();
  const search = useSearch({ from: '/' });
  const { data, error, refetch } = useQuery(boardsQuery);
  if (data?.[0])
    return <Navigate to="/boards/$name" params={{ name: data[0].name }} search={search} replace />;
  if (data) {
    return (
      <Message title={t('boards.none.title')}>
        <p className="dim">{t('boards.none.text')}</p>
        <Link to="/new-board" className="button button-main">
          {t('boards.new')}
        </Link>
      </Message>
    );
  }
  if (error) return <PanelError error={error} onRetry={() => void refetch()} />;
  return <BoardSkeleton />;
}
