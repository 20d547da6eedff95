import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { SQLDialect, sql } from '@codemirror/lang-sql';
import { bracketMatching, indentUnit } from '@codemirror/language';
import { EditorState, type Extension, Prec } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { functions, keywords, tableFunctions } from '../completion/functions';
import { completeSql, type Grounds } from '../completion/source';
import { faultMarks } from './fault';
import { overwrite } from './overwrite';
import { theme } from './theme';

/** The server's SQL, as far as colours go. */
const dialect = SQLDialect.define({
  keywords: [...new Set(keywords.split(/\s+/))].join(' '),
  types: 'bigint bool boolean date decimal double float int integer numeric text timestamp varchar',
  builtin: [...functions, ...tableFunctions].map(({ name }) => name).join(' '),
  doubleDollarQuotedStrings: true,
  identifierQuotes: '"`',
  caseInsensitiveIdentifiers: true,
  operatorChars: '*+-%<>!=&|~^/:',
});

/** What the editor tells the page; read at the time of the event, so that it is never of an older drawing. */
export interface EditorEvents {
  run: () => void;
  save: () => void;
  change: (text: string) => void;
}

export function extensions(grounds: () => Grounds, events: () => EditorEvents): Extension[] {
  const does = (what: () => void) => () => {
    what();
    return true;
  };
  return [
    Prec.highest(
      keymap.of([
        { key: 'Mod-Enter', run: does(() => events().run()) },
        { key: 'Mod-s', run: does(() => events().save()), preventDefault: true },
        // Tab leaves the editor as it leaves every field, except to take what is proposed.
        { key: 'Tab', run: acceptCompletion },
      ]),
    ),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap]),
    lineNumbers(),
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    bracketMatching(),
    closeBrackets(),
    indentUnit.of('  '),
    EditorState.tabSize.of(2),
    EditorView.lineWrapping,
    sql({ dialect }),
    autocompletion({
      override: [(context) => completeSql(context, grounds())],
      icons: false,
      maxRenderedOptions: 200,
    }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) events().change(update.state.sliceDoc());
    }),
    overwrite,
    faultMarks,
    theme,
  ];
}
