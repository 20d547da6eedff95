import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Question } from './backtestCall';
import { BacktestRunner, type RunnerState } from './backtestRunner';

/** Tests what is asked, and what is asked next instead of it; nothing while that is null. Leaving the page hangs up. */
export function useBacktest(question: Question | null): { state: RunnerState; again: () => void } {
  const [runner] = useState(() => new BacktestRunner());
  const state = useSyncExternalStore(runner.store.subscribe, runner.store.get);
  const key = question && JSON.stringify(question);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the question's identity
  const stable = useMemo(() => question, [key]);
  useEffect(() => {
    // The question has rested already; what remains is for several effects of one change to come together.
    if (stable) runner.ask(stable, 50);
    else runner.stop();
  }, [runner, stable]);
  useEffect(() => () => runner.stop(), [runner]);
  return { state, again: () => runner.again() };
}
