import { Compartment, EditorState } from '@codemirror/state';
import { EditorView, placeholder } from '@codemirror/view';
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import type { Grounds } from '../completion/source';
import { runnable, type Statement } from '../statement';
import { markFault, type Range } from './fault';
import { type EditorEvents, extensions } from './setup';

/** What the page may do with the text. */
export interface EditorHandle {
  /** The statement that would run now. */
  runnable: () => Statement | null;
  text: () => string;
  /** Puts another text in place of all; undo brings the old one back. */
  replace: (text: string) => void;
  /** Writes at the cursor, with blanks where words would run together. */
  insert: (text: string) => void;
  exchange: (range: Range, text: string) => void;
  mark: (range: Range | null) => void;
  /** Puts the cursor there and brings it into sight. */
  reveal: (offset: number) => void;
  focus: () => void;
}

interface Props extends EditorEvents {
  ref: Ref<EditorHandle>;
  initialText: string;
  label: string;
  hint: string;
  grounds: Grounds;
  onSelect: (hasSelection: boolean) => void;
}

/** Where SQL is written. */
export function Editor(props: Props) {
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
    // In a shadow root CodeMirror brings its styles as a constructed sheet, which the page's policy allows; in the
    // document it would write a style element, which it does not.
    const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
    const { initialText, label, hint } = latest.current;
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: initialText,
        selection: { anchor: initialText.length },
        extensions: [
          words.current.of(wordsOf(label, hint)),
          extensions(
            () => latest.current.grounds,
            () => latest.current,
          ),
          EditorView.updateListener.of((update) => {
            if (update.selectionSet) latest.current.onSelect(!update.state.selection.main.empty);
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, []);

  const { label, hint } = props;
  useEffect(() => {
    view.current?.dispatch({ effects: words.current.reconfigure(wordsOf(label, hint)) });
  }, [label, hint]);

  useImperativeHandle(props.ref, () => handleOf(() => view.current), []);
  return <div className="sql-editor" data-testid="sql-editor" ref={host} />;
}

function wordsOf(label: string, hint: string) {
  return [EditorView.contentAttributes.of({ 'aria-label': label }), placeholder(hint)];
}

function handleOf(current: () => EditorView | null): EditorHandle {
  const text = () => current()?.state.sliceDoc() ?? '';
  return {
    text,
    runnable: () => {
      const main = current()?.state.selection.main;
      return main ? runnable(text(), main) : null;
    },
    replace: (insert) => {
      const view = current();
      if (!view || view.state.sliceDoc() === insert) return;
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert },
        selection: { anchor: insert.length },
        scrollIntoView: true,
      });
    },
    insert: (piece) => {
      const view = current();
      if (!view) return;
      const { from, to } = view.state.selection.main;
      const before = view.state.sliceDoc(Math.max(0, from - 1), from);
      const after = view.state.sliceDoc(to, to + 1);
      const insert = `${/[\p{L}\p{N}_,")]/u.test(before) ? ' ' : ''}${piece}${/[\p{L}\p{N}_"]/u.test(after) ? ' ' : ''}`;
      view.dispatch({
        changes: { from, to, insert },
        selection: { anchor: from + insert.length },
        scrollIntoView: true,
        userEvent: 'input',
      });
      view.focus();
    },
    exchange: ({ from, to }, insert) => {
      const view = current();
      if (!view || to > view.state.doc.length) return;
      view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length } });
      view.focus();
    },
    mark: (range) => current()?.dispatch({ effects: markFault.of(range) }),
    reveal: (offset) => {
      const view = current();
      if (!view) return;
      view.dispatch({ selection: { anchor: Math.min(offset, view.state.doc.length) }, scrollIntoView: true });
      view.focus();
    },
    focus: () => current()?.focus(),
  };
}
