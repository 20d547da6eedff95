import { type ReactNode, useContext, useRef } from 'react';
import type { Metric } from '../../api/types';
import type { Item, Section } from './draft';
import { useDragSort } from './dragSort';
import { FaultList, FaultsContext } from './Field';
import { ItemCard } from './ItemCard';
import type { Patch } from './ItemFields';
import { boardTexts } from './texts';

interface Props {
  section: Section;
  items: Item[];
  metrics: ReadonlyMap<string, Metric>;
  openId: string | null;
  onOpen: (id: string | null) => void;
  onChange: (id: string, ...change: Parameters<Patch>) => void;
  onMove: (id: string, to: number) => void;
  onCopy: (id: string) => void;
  onRemove: (id: string) => void;
  /** The ways to add one more. */
  children: ReactNode;
}

/** The items of one section in their order. */
export function SectionList(props: Props) {
  const { section, items, metrics, openId, onOpen, onChange, onMove, onCopy, onRemove, children } = props;
  const t = boardTexts.use();
  const faults = useContext(FaultsContext);
  const list = useRef<HTMLOListElement>(null);
  const drag = useDragSort(
    list,
    items.map(({ id }) => id),
    onMove,
  );
  return (
    <section className="be-section" aria-labelledby={`section-${section}`} data-section={section}>
      <h2 id={`section-${section}`}>
        {t(`section.${section}`)} <span className="dim">{items.length}</span>
      </h2>
      <FaultList faults={faults.get(`board.${section}`) ?? []} />
      {items.length > 0 && (
        <ol className="be-items" ref={list}>
          {items.map((item, i) => (
            <ItemCard
              key={item.id}
              item={item}
              index={i}
              count={items.length}
              metrics={metrics}
              isOpen={openId === item.id}
              drag={drag}
              onOpen={(isOpen) => onOpen(isOpen ? item.id : null)}
              onChange={(...change) => onChange(item.id, ...change)}
              onMove={(to) => onMove(item.id, to)}
              onCopy={() => onCopy(item.id)}
              onRemove={() => onRemove(item.id)}
            />
          ))}
        </ol>
      )}
      {children}
    </section>
  );
}
