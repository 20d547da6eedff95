import { createContext, type ReactNode, useContext, useId } from 'react';
import type { Faults, ShownFault } from './faults';

export const FaultsContext = createContext<Faults>(new Map());

/** What ties a control to its label, its explanation and its faults. */
export interface Ties {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

interface Props {
  /** Where its faults stand: `board.title`, `i7.metric`. */
  control: string;
  label: string;
  hint?: ReactNode;
  children: (ties: Ties) => ReactNode;
}

function useTies(
  control: string,
  hasHint: boolean,
): { id: string; ties: Ties; faults: readonly ShownFault[] } {
  const id = useId();
  const faults = useContext(FaultsContext).get(control) ?? [];
  const describedBy = [hasHint ? `${id}-hint` : '', faults.length > 0 ? `${id}-fault` : '']
    .filter(Boolean)
    .join(' ');
  return {
    id,
    faults,
    ties: {
      id,
      'aria-describedby': describedBy || undefined,
      'aria-invalid': faults.length > 0 || undefined,
    },
  };
}

/** A control with its label above, its explanation and its faults below. */
export function Field({ control, label, hint, children }: Props) {
  const { id, ties, faults } = useTies(control, Boolean(hint));
  return (
    <div className="be-field" data-control={control} data-faulty={faults.length > 0 || undefined}>
      <label htmlFor={id}>{label}</label>
      {children(ties)}
      {hint && (
        <p id={`${id}-hint`} className="be-hint">
          {hint}
        </p>
      )}
      <FaultList id={`${id}-fault`} faults={faults} />
    </div>
  );
}

/** Several controls under one name, whose faults stand below all of them. */
export function FieldGroup({
  control,
  label,
  hint,
  children,
}: Omit<Props, 'children'> & { children: ReactNode }) {
  const { id, ties, faults } = useTies(control, Boolean(hint));
  return (
    <fieldset
      className="be-field"
      data-control={control}
      data-faulty={faults.length > 0 || undefined}
      aria-describedby={ties['aria-describedby']}
    >
      <legend>{label}</legend>
      {children}
      {hint && (
        <p id={`${id}-hint`} className="be-hint">
          {hint}
        </p>
      )}
      <FaultList id={`${id}-fault`} faults={faults} />
    </fieldset>
  );
}

export function FaultList({ id, faults }: { id?: string; faults: readonly ShownFault[] }) {
  if (faults.length === 0) return null;
  return (
    <ul id={id} className="be-faults">
      {faults.map(({ message, suggestion }) => (
        <li key={`${message}${suggestion ?? ''}`} data-testid="board-fault">
          {message}
          {suggestion ? ` – ${suggestion}` : ''}
        </li>
      ))}
    </ul>
  );
}
