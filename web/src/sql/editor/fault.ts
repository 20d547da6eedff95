import { type Extension, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';

export interface Range {
  from: number;
  to: number;
}

/** Marks where a statement is wrong; null takes the mark away. */
export const markFault = StateEffect.define<Range | null>();

const mark = Decoration.mark({ class: 'cm-fault' });

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(old, transaction) {
    let next = old.map(transaction.changes);
    if (transaction.docChanged) {
      // What is edited may be right now; the server has the next word.
      transaction.changes.iterChangedRanges((_from, _to, from, to) => {
        next = next.update({ filter: (start, end) => to < start || from > end });
      });
    }
    for (const effect of transaction.effects) {
      if (!effect.is(markFault)) continue;
      const range = effect.value;
      const isWithin = range && range.from < range.to && range.to <= transaction.newDoc.length;
      next = isWithin ? Decoration.set([mark.range(range.from, range.to)]) : Decoration.none;
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export const faultMarks: Extension = marks;
