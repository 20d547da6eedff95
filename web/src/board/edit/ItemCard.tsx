import { type KeyboardEvent, useContext, useId } from 'react';
import type { Metric } from '../../api/types';
import { useSpeech } from '../../i18n/hooks';
import { localized } from '../../i18n/index';
import type { Item } from './draft';
import type { DragSort } from './dragSort';
import { FaultList, FaultsContext } from './Field';
import { faultCount } from './faults';
import { ItemFields, type Patch } from './ItemFields';
import { BinIcon, CopyIcon, DownIcon, GripIcon, UpIcon } from './icons';
import { boardTexts } from './texts';

interface Props {
  item: Item;
  index: number;
  count: number;
  metrics: ReadonlyMap<string, Metric>;
  isOpen: boolean;
  drag: DragSort;
  onOpen: (isOpen: boolean) => void;
  onChange: Patch;
  onMove: (to: number) => void;
  onCopy: () => void;
  onRemove: () => void;
}

/** What an item is called where people read of it. */
export function useItemTitle(): (item: Item) => string {
  const t = boardTexts.use();
  const { language, metric } = useSpeech();
  return (item) => {
    const title = localized(
      { en: item.titleEn || item.titleZh, ...(item.titleZh ? { zh: item.titleZh } : {}) },
      language,
    );
    if (title !== '') return title;
    if (item.kind === 'text') {
      const text = (language === 'zh' ? item.textZh || item.textEn : item.textEn || item.textZh).trim();
      return text.split('\n')[0]?.slice(0, 60) || t('item.nameless');
    }
    return item.metric === '' ? t('item.nameless') : metric(item.metric);
  };
}

/** One item of the board: a line to move, copy and remove it by, and all of its settings when it is open. */
export function ItemCard(props: Props) {
  const { item, index, count, metrics, isOpen, drag, onOpen, onChange, onMove, onCopy, onRemove } = props;
  const t = boardTexts.use();
  const titleOf = useItemTitle();
  const faults = useContext(FaultsContext);
  const id = useId();
  const title = titleOf(item);
  const wrong = faultCount(faults, item.id);
  const onKey = (event: KeyboardEvent) => {
    const targets: Record<string, number> = {
      ArrowUp: index - 1,
      ArrowDown: index + 1,
      Home: 0,
      End: count - 1,
    };
    const to = targets[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to >= 0 && to < count && to !== index) onMove(to);
  };
  const at = drag.drag;
  const drop =
    at && at.id !== item.id && at.to !== at.from && index === at.to
      ? at.to < at.from
        ? 'before'
        : 'after'
      : undefined;
  return (
    <li
      className="be-item"
      data-sort={item.id}
      data-testid="board-item"
      data-kind={item.kind}
      data-dragged={at?.id === item.id || undefined}
      data-drop={drop}
      data-faulty={wrong > 0 || undefined}
    >
      <div className="be-item-head">
        <button
          type="button"
          className="be-icon be-grip"
          data-grip={item.id}
          aria-label={t('item.move', { title })}
          title={t('item.moveHint')}
          onKeyDown={onKey}
          {...drag.handle(item.id)}
        >
          <GripIcon />
        </button>
        <button
          type="button"
          className="be-item-title"
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          data-open={item.id}
          onClick={() => onOpen(!isOpen)}
        >
          <span className="ellipsis">{title}</span>
          <span className="chip">{t(`kind.${item.kind}`)}</span>
          {wrong > 0 && <span className="be-wrong">{t('item.faults', { count: wrong })}</span>}
        </button>
        <button
          type="button"
          className="be-icon be-item-tool"
          disabled={index === 0}
          aria-label={t('item.up', { title })}
          title={t('item.up', { title })}
          onClick={() => onMove(index - 1)}
        >
          <UpIcon />
        </button>
        <button
          type="button"
          className="be-icon be-item-tool"
          disabled={index === count - 1}
          aria-label={t('item.down', { title })}
          title={t('item.down', { title })}
          onClick={() => onMove(index + 1)}
        >
          <DownIcon />
        </button>
        <button
          type="button"
          className="be-icon be-item-tool"
          aria-label={t('item.copy', { title })}
          title={t('item.copy', { title })}
          onClick={onCopy}
        >
          <CopyIcon />
        </button>
        <button
          type="button"
          className="be-icon"
          aria-label={t('item.remove', { title })}
          title={t('item.remove', { title })}
          data-testid="remove-item"
          onClick={onRemove}
        >
          <BinIcon />
        </button>
      </div>
      <FaultList faults={faults.get(item.id) ?? []} />
      {isOpen && (
        <div id={id} className="be-item-body">
          <ItemFields item={item} metrics={metrics} onChange={onChange} />
        </div>
      )}
    </li>
  );
}
