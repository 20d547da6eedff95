import type { Fault } from './calls';
import { definitionTexts } from './texts';

interface Props {
  faults: readonly Fault[];
  /** Leads to the place, where the file is the one on the screen. */
  onReveal?: (fault: Fault) => void;
  /** The file on the screen: its name need not be said at each fault. */
  file?: string;
}

/** What is wrong with definitions: where, why, and what would mend it. */
export function FaultList({ faults, onReveal, file }: Props) {
  const t = definitionTexts.use();
  if (faults.length === 0) return null;
  return (
    <ul className="def-faults" data-testid="def-faults">
      {faults.map((fault) => {
        const place = t('fault.place', { line: fault.line, column: fault.column });
        const isHere = fault.file === file;
        return (
          <li key={`${fault.file}:${fault.line}:${fault.column}:${fault.reason}`}>
            <p className="def-place">
              {!isHere && <code>{fault.file}</code>}{' '}
              {onReveal ? (
                <button type="button" className="def-link" onClick={() => onReveal(fault)}>
                  {place}
                </button>
              ) : (
                <span className="dim">{place}</span>
              )}
            </p>
            <p>{fault.reason}</p>
            {fault.suggestion !== null && <p className="def-suggestion">{fault.suggestion}</p>}
          </li>
        );
      })}
    </ul>
  );
}
