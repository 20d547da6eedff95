import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { EditorView } from '@codemirror/view';
import type { Language } from '../../i18n/index';
import { identifier, statementAt } from '../statement';
import { type Expected, expectedAt, type Source, sourcesOf, withNames } from './expected';
import { functions, keywordProposals, type SqlFunction, tableFunctions } from './functions';
import {
  type Catalogue,
  columnProposals,
  columnsOf,
  measureProposals,
  type Proposal,
  sourceNamed,
  tableOfValue,
  tableProposals,
} from './proposals';

/** What completion needs of the page around the editor. */
export interface Grounds {
  catalogue: Catalogue;
  language: Language;
  zone: string;
  /** What a kind of name is called in the reader's language. */
  kindText: (kind: Proposal['kind'] | 'function' | 'keyword' | 'value') => string;
  values: (table: string, column: string) => Promise<string[]>;
}

/** A name as it is typed on: letters, digits, and the quote that may begin it. */
const nameSoFar = /^["`]?[\p{L}\p{N}_$]*$/u;
const valueSoFar = /^[^']*$/;

export async function completeSql(
  context: CompletionContext,
  grounds: Grounds,
): Promise<CompletionResult | null> {
  const text = context.state.sliceDoc();
  const statement = statementAt(text, context.pos);
  // Behind a statement's end nothing of it is in reach any more.
  const isWithin =
    statement && context.pos >= statement.from && !text.slice(statement.to, context.pos).includes(';');
  const [sql, start] = isWithin ? [text.slice(statement.from), statement.from] : ['', context.pos];
  const own = isWithin ? statement.text : '';
  const expected = expectedAt(sql.slice(0, context.pos - start), context.pos - start);
  if (expected.kind === 'nothing') return null;
  const from = start + expected.from;
  if (expected.kind === 'any' && from === context.pos && !context.explicit) return null;
  const options = await optionsFor(expected, own, grounds);
  if (options.length === 0 || context.aborted) return null;
  const isText = ['value', 'metricName', 'period'].includes(expected.kind);
  return { from, options, validFor: isText ? valueSoFar : nameSoFar };
}

async function optionsFor(expected: Expected, sql: string, grounds: Grounds): Promise<Completion[]> {
  const { catalogue } = grounds;
  const sources = sourcesOf(sql);
  const named = (proposals: Proposal[], boost = 0) =>
    proposals.map((proposal) => ofName(proposal, grounds, proposal.kind === 'metric' ? boost + 1 : boost));
  switch (expected.kind) {
    case 'table':
      return [
        ...named(tableProposals(catalogue), 2),
        ...named(queryProposals(sql), 2),
        ...tableFunctions.map((each) => ofFunction(each, grounds)),
      ];
    case 'cube':
      return named(tableProposals(catalogue, 'cube'));
    case 'measure':
      return named(measureProposals(catalogue, sources));
    case 'member': {
      const source = sourceNamed(sources, expected.qualifier);
      return source ? named(columnProposals(columnsOf(catalogue, source))) : [];
    }
    case 'value': {
      const table = tableOfValue(catalogue, sources, expected.column, expected.qualifier);
      const values = table === null ? [] : await grounds.values(table, expected.column);
      return values.map((value) => ofText(value, grounds));
    }
    case 'metricName':
      return catalogue.metrics.map(({ name }) => ofText(name, grounds, 'metric'));
    case 'period':
      return ['day', 'week', 'month', 'quarter', 'year', grounds.zone].map((one) => ofText(one, grounds));
    case 'any':
      return [...anywhere(sources, grounds), ...named(queryProposals(sql))];
    default:
      return [];
  }
}

function queryProposals(sql: string): Proposal[] {
  return withNames(sql).map((name) => ({ name, kind: 'query', detail: '', says: '' }));
}

function anywhere(sources: readonly Source[], grounds: Grounds): Completion[] {
  const { catalogue } = grounds;
  const columns = new Map(
    sources.flatMap((source) => columnsOf(catalogue, source)).map((column) => [column.name, column]),
  );
  const tables = new Set(sources.flatMap(({ table, alias }) => (alias ? [alias] : [table])));
  return [
    ...columnProposals([...columns.values()]).map((one) => ofName(one, grounds, 4)),
    ...measureProposals(catalogue, sources).map((one) => ofMeasure(one, grounds)),
    ...tableProposals(catalogue).map((one) => ofName(one, grounds, tables.has(one.name) ? 1 : -2)),
    ...functions.map((one) => ofFunction(one, grounds)),
    ...keywordProposals.map((label) => ({ label, type: 'keyword', boost: 1 })),
  ];
}

function ofName({ name, kind, detail, says }: Proposal, { kindText }: Grounds, boost: number): Completion {
  const written = identifier(name);
  return {
    label: name,
    detail: detail || kindText(kind),
    type: kind,
    boost,
    ...(written === name ? {} : { apply: written }),
    ...(says ? { info: says } : {}),
  };
}

function ofMeasure({ name, kind, detail, says }: Proposal, { kindText }: Grounds): Completion {
  const written = `measure(${identifier(name)})`;
  return {
    label: name,
    displayLabel: written,
    apply: written,
    detail: detail || kindText(kind),
    type: kind,
    boost: 3,
    ...(says ? { info: says } : {}),
  };
}

function ofText(text: string, { kindText }: Grounds, kind: 'metric' | 'value' = 'value'): Completion {
  return {
    label: text,
    detail: kind === 'metric' ? kindText(kind) : '',
    type: kind,
    apply: (view, _, from, to) => {
      const written = text.replaceAll("'", "''");
      // The closing quote may stand there already.
      const hasQuote = view.state.sliceDoc(to, to + 1) === "'";
      const insert = hasQuote ? written : `${written}'`;
      const end = from + written.length + 1;
      view.dispatch({
        changes: { from, to, insert },
        selection: { anchor: end },
        userEvent: 'input.complete',
      });
    },
  };
}

function ofFunction({ name, takes, says }: SqlFunction, { language, kindText }: Grounds): Completion {
  return {
    label: name,
    displayLabel: `${name}(${takes})`,
    detail: kindText('function'),
    type: 'function',
    info: says[language],
    apply: (view: EditorView, _: Completion, from: number, to: number) => {
      const hasParentheses = view.state.sliceDoc(to, to + 1) === '(';
      const insert = hasParentheses ? name : `${name}()`;
      const within = takes === '' && !hasParentheses ? insert.length : name.length + 1;
      const anchor = from + within;
      view.dispatch({ changes: { from, to, insert }, selection: { anchor }, userEvent: 'input.complete' });
    },
  };
}
