import { useQuery } from '@tanstack/react-query';
import { Link, Navigate, useSearch } from '@tanstack/react-router';
import { boardsQuery } from '../api/queries';
import { BoardSkeleton } from '../board/BoardSkeleton';
import { PanelError } from '../board/PanelError';
import { useSpeech } from '../i18n/hooks';
import { Denied } from '../shell/Denied';
import { Message } from '../shell/Message';
import { useMay } from '../shell/useMay';

/** The first board is the home page. */
export function HomePage() {
  const { t } = useSpeech();
  const search = useSearch({ from: '/' });
  const { data, error, refetch } = useQuery(boardsQuery);
  const maySave = useMay('operate');
  if (data?.[0])
    return <Navigate to="/boards/$name" params={{ name: data[0].name }} search={search} replace />;
  if (data) {
    return (
      <Message title={t('boards.none.title')}>
        <p className="dim">{t('boards.none.text')}</p>
        {maySave && (
          <Link to="/new-board" className="button button-main">
            {t('boards.new')}
          </Link>
        )}
        <Denied right="operate" />
      </Message>
    );
  }
  if (error) return <PanelError error={error} onRetry={() => void refetch()} />;
  return <BoardSkeleton />;
}
