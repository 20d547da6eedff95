import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { ApiError } from '../api/client';
import type { Metric } from '../api/types';
import { serverNow } from '../live/clock';
import { useIncidents } from '../live/hooks';
import type { Question } from './backtestCall';
import { draftFaults, type Field, faultsByField, isName, isTestable } from './check';
import { type Draft, definitionOf, draftOf, emptyDraft, isSameDraft, searchOf } from './draft';
import { DetectorFields } from './form/DetectorFields';
import { FaultsContext, type ShownFault } from './form/Field';
import { OpensFields } from './form/OpensFields';
import { ToldFields } from './form/ToldFields';
import { WatchedFields } from './form/WatchedFields';
import { learnedOf, untoldKeys } from './learned';
import { Preview } from './preview/Preview';
import { surroundingsQuery } from './queries';
import { SavePanel, useSaving } from './SavePanel';
import { SPAN_UNLESS_TOLD, type Span, spanFrom } from './span';
import { useTexts } from './texts';
import type { BacktestProblem, Monitor } from './types';
import { useBacktest } from './useBacktest';
import { useSettled } from './useSettled';
import { YamlOutput } from './YamlOutput';
import './editor.css';
import './found.css';
import './preview.css';

interface Props {
  /** The monitor that is changed; null for one that is new. */
  existing: Monitor | null;
  monitors: readonly Monitor[];
  metrics: ReadonlyMap<string, Metric>;
  /** What the form begins with, where the address holds a draft. */
  initial: Draft | null;
  initialSpan: Span;
  /** Keeps the form in the address. */
  onKept: (search: Record<string, string>) => void;
  head: ReactNode;
}

/** As long as people rest between two words. */
const REST_MS = 600;
/** What a monitor is called in a test as long as it has no name. */
const NAMELESS = 'new_monitor';

/** A form for a monitor, beside it what the monitor would have found, and below the file that it becomes. */
export function Editor({ existing, monitors, metrics, initial, initialSpan, onKept, head }: Props) {
  const t = useTexts();
  const feed = useIncidents();
  const surroundings = useQuery(surroundingsQuery).data;
  const [base, setBase] = useState<Draft>(() => (existing ? draftOf(existing) : emptyDraft));
  const [draft, setDraft] = useState<Draft>(() => initial ?? base);
  const [span, setSpan] = useState(initialSpan);
  const update = useCallback((patch: Partial<Draft>) => setDraft((old) => ({ ...old, ...patch })), []);
  const settled = useSettled(draft, REST_MS);

  const taken = useMemo(
    () => new Set(existing ? [] : monitors.map(({ name }) => name)),
    [existing, monitors],
  );
  const ownFaults = useMemo(() => draftFaults(settled, metrics, taken), [settled, metrics, taken]);
  const isUnchanged = existing !== null && isSameDraft(settled, base);
  const [openedMs] = useState(() => serverNow());
  // Where events end is looked up once: a test must not begin anew because events have come in.
  const watermark = useRef<number | null | undefined>(undefined);
  if (watermark.current === undefined && surroundings) watermark.current = surroundings.watermarkMs;
  const isReady = span === SPAN_UNLESS_TOLD || watermark.current !== undefined;
  const asked = useMemo((): Question | null => {
    if (settled.metric === '' || !isTestable(ownFaults) || !isReady) return null;
    const from = spanFrom(span, watermark.current ?? null, openedMs);
    const isNamed = ownFaults.every(({ field }) => field !== 'name');
    return {
      name: existing?.name ?? (isNamed ? settled.name.trim() : NAMELESS),
      ...(from === undefined ? {} : { from }),
      ...(isUnchanged ? {} : { monitor: definitionOf(settled) }),
    };
  }, [settled, ownFaults, isReady, span, openedMs, existing, isUnchanged]);
  // While somebody types the test before goes on: it is hung up on when there is another to ask for.
  const isSettled = settled === draft;
  const held = useRef(asked);
  if (isSettled) held.current = asked;
  const question = held.current;
  const { state, again } = useBacktest(question);

  // What is learned of the monitor as it is goes into the form once, where nobody has written anything yet.
  const learned = useMemo(
    () => (existing ? learnedOf(existing, state.answer?.existing ?? null, feed.incidents) : {}),
    [existing, state.answer, feed.incidents],
  );
  const taught = useRef(new Set<string>());
  useEffect(() => {
    const news = Object.fromEntries(
      Object.entries(learned).filter(([key]) => !taught.current.has(key)),
    ) as Partial<Draft>;
    if (Object.keys(news).length === 0) return;
    for (const key of Object.keys(news)) taught.current.add(key);
    setBase((old) => ({ ...old, ...news }));
    // A draft from the address says all that it wants to say.
    if (initial === null) setDraft((old) => ({ ...old, ...blanksOf(old, news) }));
  }, [learned, initial]);

  useEffect(() => {
    if (!isSettled) return;
    const search = existing !== null && isSameDraft(settled, base) ? {} : searchOf(settled);
    if (existing) delete search.name;
    onKept({ ...search, ...(span === SPAN_UNLESS_TOLD ? {} : { span }) });
  }, [isSettled, settled, base, existing, span, onKept]);

  const problem =
    state.phase.kind === 'failed' && state.phase.error instanceof ApiError
      ? (state.phase.error.problem as BacktestProblem | null)
      : null;
  const faults = useMemo(() => {
    const shown = new Map<Field, ShownFault[]>();
    const put = (field: Field, fault: ShownFault) => shown.set(field, [...(shown.get(field) ?? []), fault]);
    for (const { field, key } of ownFaults) {
      // An empty form is no fault yet.
      const isUntouched = (field === 'name' || field === 'metric') && settled[field] === '';
      if (!isUntouched) put(field, { message: t(key) });
    }
    for (const [field, told] of faultsByField(problem?.faults ?? [], settled))
      for (const { message, suggestion } of told)
        put(field, { message, ...(suggestion ? { suggestion } : {}) });
    return shown;
  }, [ownFaults, problem, settled, t]);

  const metric = metrics.get(draft.metric);
  const channels = [
    ...new Set([
      ...(surroundings?.channels ?? []).map(({ name }) => name),
      ...monitors.flatMap(({ notify }) => notify),
    ]),
  ].sort();
  const owners = [...new Set(feed.incidents.flatMap(({ owner }) => (owner ? [owner] : [])))].sort();
  const untold = existing ? untoldKeys(existing, learned).filter((key) => draft[key] === '') : [];
  const pause =
    draft.metric === ''
      ? 'nothing'
      : !isTestable(ownFaults) && isSettled
        ? 'faults'
        : !isSettled || question === null
          ? 'typing'
          : null;
  const name = existing?.name ?? (isName(draft.name.trim()) ? draft.name.trim() : NAMELESS);

  const saving = useSaving(existing);
  return (
    <FaultsContext value={faults}>
      <div className="monitors editor-page" data-testid="editor">
        <div className="board-head">
          {head}
          {existing && !isSameDraft(draft, base) && (
            <button type="button" className="button" onClick={() => setDraft(base)}>
              {t('edit.reset')}
            </button>
          )}
        </div>
        <div className="editor">
          <div className="editor-form">
            {existing && untold.length > 0 && (
              <p className="editor-untold" data-testid="untold">
                {t('edit.untold', { name: existing.name, keys: untold.join(', ') })}
              </p>
            )}
            <form className="panel form" onSubmit={(event) => event.preventDefault()}>
              <WatchedFields draft={draft} onChange={update} metrics={metrics} isNamed={existing !== null} />
              <DetectorFields draft={draft} onChange={update} metric={metric} />
              <OpensFields draft={draft} onChange={update} />
              <ToldFields
                draft={draft}
                onChange={update}
                metrics={metrics}
                channels={channels}
                owners={owners}
              />
            </form>
          </div>
          <Preview
            state={state}
            pause={pause}
            metric={metrics.get(settled.metric)}
            span={span}
            onSpan={setSpan}
            onAgain={again}
            general={faults.get('general') ?? []}
            isDefinitionBad={(problem?.faults ?? []).length > 0}
            isUnchanged={isUnchanged}
          />
          <div className="editor-file">
            <SavePanel
              saving={saving}
              draft={draft}
              name={name}
              existing={existing?.name ?? null}
              isReady={isSettled && draftFaults(draft, metrics, taken).length === 0}
            />
            <YamlOutput
              draft={draft}
              name={name}
              isExisting={existing !== null}
              isSaved={saving.state === 'open'}
            />
          </div>
        </div>
      </div>
    </FaultsContext>
  );
}

/** Of what was learned that for which nothing is written. */
function blanksOf(draft: Draft, news: Partial<Draft>): Partial<Draft> {
  return Object.fromEntries(Object.entries(news).filter(([key]) => draft[key as keyof Draft] === ''));
}
