import { useEffect, useState } from 'react';
import { checkFile, type Fault } from './calls';

/** As long as people rest between two words. */
const REST_MS = 500;

export interface Check {
  /** Of the last text that was checked; null before the first answer. */
  faults: readonly Fault[] | null;
  isChecking: boolean;
  /** Why it could not be checked. */
  error: Error | null;
}

/** What the server would say of a text in the place of a file, asked for while it is typed. Nothing is asked where `text` is null. */
export function useCheck(file: string, text: string | null): Check {
  const [check, setCheck] = useState<Check>({ faults: null, isChecking: false, error: null });
  useEffect(() => {
    if (text === null || file === '') return setCheck({ faults: null, isChecking: false, error: null });
    const abort = new AbortController();
    setCheck((old) => ({ ...old, isChecking: true }));
    const timer = setTimeout(() => {
      checkFile(file, text, abort.signal).then(
        (faults) => setCheck({ faults, isChecking: false, error: null }),
        (error: Error) => {
          if (!abort.signal.aborted) setCheck({ faults: null, isChecking: false, error });
        },
      );
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [file, text]);
  return check;
}
