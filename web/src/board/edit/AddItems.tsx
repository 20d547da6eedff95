import { type Draft, ITEMS_MAX, type ItemKind, itemsOf, panelKinds, type Section } from './draft';
import { boardTexts } from './texts';

interface Props {
  section: Section;
  draft: Draft;
  onAdd: (kind: ItemKind) => void;
}

/** The ways to add one more to a section. */
export function AddItems({ section, draft, onAdd }: Props) {
  const t = boardTexts.use();
  const kinds: readonly ItemKind[] =
    section === 'tiles' ? ['tile'] : section === 'charts' ? ['chart'] : panelKinds;
  const isFull = itemsOf(draft).length >= ITEMS_MAX;
  return (
    <div className="be-add">
      {kinds.map((kind) => (
        <button
          key={kind}
          type="button"
          className="button be-small"
          disabled={isFull}
          data-testid="add-item"
          data-kind={kind}
          onClick={() => onAdd(kind)}
        >
          <span aria-hidden="true">+ </span>
          <span className="visually-hidden">{t('item.add')} </span>
          {t(`kind.${kind}`)}
        </button>
      ))}
      {isFull && <p className="be-hint">{t('fault.many', { count: ITEMS_MAX })}</p>}
    </div>
  );
}
