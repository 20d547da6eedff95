import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, type Extension, Prec, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import { overwrite } from '../sql/editor/overwrite';
import { theme } from '../sql/editor/theme';

/** A place in the text, counted from 1 as in messages. */
export interface Spot {
  line: number;
  column: number;
}

export interface YamlHandle {
  /** Puts the cursor there and brings it into sight. */
  reveal: (spot: Spot) => void;
}

interface Props {
  ref?: Ref<YamlHandle>;
  text: string;
  label: string;
  isReadOnly: boolean;
  /** Where the text is wrong. */
  spots: readonly Spot[];
  onChange?: (text: string) => void;
  onSave?: () => void;
}

const markSpots = StateEffect.define<readonly Spot[]>();
const faultyLine = Decoration.line({ class: 'cm-faulty-line' });
const fault = Decoration.mark({ class: 'cm-fault' });

const spotMarks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(old, transaction) {
    let next = old.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(markSpots)) next = marksOf(transaction.state, effect.value);
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marksOf({ doc }: EditorState, spots: readonly Spot[]): DecorationSet {
  const ranges = spots
    .filter(({ line }) => line >= 1 && line <= doc.lines)
    .flatMap(({ line, column }) => {
      const { from, to, text } = doc.line(line);
      const start = Math.min(from + Math.max(0, column - 1), to);
      const word = /^[^\s:,{}[\]]+/.exec(text.slice(start - from))?.[0].length ?? 0;
      const end = word > 0 ? start + word : to;
      return [faultyLine.range(from), ...(start < end ? [fault.range(start, end)] : [])];
    });
  return Decoration.set(ranges, true);
}

const colors = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: [tags.labelName, tags.typeName], color: 'var(--series-4)' },
  { tag: tags.comment, color: 'var(--text-3)', fontStyle: 'italic' },
]);

const look = EditorView.theme({
  '.cm-faulty-line': { backgroundColor: 'var(--bad-soft)' },
  '.cm-content': { minHeight: '8rem' },
});

function fixed(label: string, isReadOnly: boolean): Extension {
  return [
    // One that cannot be written can still be reached and read by keys.
    EditorState.readOnly.of(isReadOnly),
    EditorView.contentAttributes.of({
      'aria-label': label,
      ...(isReadOnly ? { 'aria-readonly': 'true' } : {}),
    }),
  ];
}

/** YAML with numbers of lines, colours, and marks where it is wrong. */
export default function YamlEditor(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  const words = useRef(new Compartment());
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    // In a shadow root CodeMirror brings its styles as a constructed sheet, which the page's policy allows.
    const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
    const { text, label, isReadOnly } = latest.current;
    const save = () => {
      latest.current.onSave?.();
      return latest.current.onSave !== undefined;
    };
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: text,
        extensions: [
          words.current.of(fixed(label, isReadOnly)),
          Prec.highest(keymap.of([{ key: 'Mod-s', run: save, preventDefault: true }])),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          lineNumbers(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          indentUnit.of('  '),
          EditorState.tabSize.of(2),
          EditorView.lineWrapping,
          yaml(),
          syntaxHighlighting(colors),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.sliceDoc());
          }),
          overwrite,
          spotMarks,
          theme,
          look,
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, []);

  const { text, label, isReadOnly, spots } = props;
  useEffect(() => {
    view.current?.dispatch({ effects: words.current.reconfigure(fixed(label, isReadOnly)) });
  }, [label, isReadOnly]);
  useEffect(() => {
    const editor = view.current;
    // What comes back from typing is what is there already.
    if (!editor || editor.state.sliceDoc() === text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);
  useEffect(() => {
    view.current?.dispatch({ effects: markSpots.of(spots) });
  }, [spots]);

  useImperativeHandle(
    props.ref,
    () => ({
      reveal: ({ line, column }) => {
        const editor = view.current;
        if (!editor) return;
        const found = editor.state.doc.line(Math.min(Math.max(1, line), editor.state.doc.lines));
        const anchor = Math.min(found.from + Math.max(0, column - 1), found.to);
        editor.dispatch({
          selection: { anchor },
          effects: EditorView.scrollIntoView(anchor, { y: 'center' }),
        });
        editor.focus();
      },
    }),
    [],
  );
  return <div className="def-editor" data-testid="yaml-editor" ref={host} />;
}
