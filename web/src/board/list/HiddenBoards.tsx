import { useQuery } from '@tanstack/react-query';
import { useSpeech } from '../../i18n/hooks';
import { useMay } from '../../shell/useMay';
import { hiddenBoardsQuery } from '../edit/calls';
import { boardTexts } from '../edit/texts';

interface Props {
  onExport: (name: string, title: string) => void;
  onDelete: (name: string, title: string) => void;
}

/** Saved boards whose name a board of the folder has taken since: they are kept, and nobody would see them. */
export function HiddenBoards({ onExport, onDelete }: Props) {
  const t = boardTexts.use();
  const { text } = useSpeech();
  const { data } = useQuery(hiddenBoardsQuery);
  const maySave = useMay('operate');
  if (!data || data.length === 0) return null;
  return (
    <section className="panel bl-hidden" aria-labelledby="hidden-boards" data-testid="hidden-boards">
      <h2 id="hidden-boards">{t('hidden.title')}</h2>
      <p className="be-hint">{t('hidden.text')}</p>
      <ul>
        {data.map(({ name, title: titles }) => {
          const title = text(titles, name);
          return (
            <li key={name} data-board={name}>
              <span>
                <b>{title}</b> <span className="bl-name">{name}</span>
              </span>
              <button
                type="button"
                className="button"
                aria-label={t('act.exportOf', { title })}
                onClick={() => onExport(name, title)}
              >
                {t('edit.export')}
              </button>
              {maySave && (
                <button
                  type="button"
                  className="button"
                  aria-label={t('act.deleteOf', { title })}
                  data-testid="delete-hidden"
                  onClick={() => onDelete(name, title)}
                >
                  {t('edit.delete')}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
