import { createContext, type ReactNode, useContext, useId } from 'react';
import { type Field as FieldName, meantBy } from '../check';
import { useTexts } from '../texts';

/** A fault as it is shown at its control. */
export interface ShownFault {
  message: string;
  suggestion?: string;
}

export type ShownFaults = ReadonlyMap<FieldName, readonly ShownFault[]>;

export const FaultsContext = createContext<ShownFaults>(new Map());

/** What ties a control to its label, its explanation and its faults. */
export interface Ties {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

interface Props {
  field: FieldName;
  label: string;
  hint?: ReactNode;
  /** Puts the name that a suggestion means in place of what is there. */
  onMeant?: (name: string) => void;
  children: (ties: Ties) => ReactNode;
}

/** A control with its label above, its explanation and its faults below. */
export function Field({ field, label, hint, onMeant, children }: Props) {
  const id = useId();
  const faults = useContext(FaultsContext).get(field) ?? [];
  const describedBy = [hint ? `${id}-hint` : '', faults.length > 0 ? `${id}-fault` : '']
    .filter(Boolean)
    .join(' ');
  return (
    <div className="form-field" data-field={field} data-faulty={faults.length > 0 || undefined}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': describedBy || undefined,
        'aria-invalid': faults.length > 0 || undefined,
      })}
      {hint && (
        <p id={`${id}-hint`} className="form-hint">
          {hint}
        </p>
      )}
      <Faults id={`${id}-fault`} faults={faults} onMeant={onMeant} />
    </div>
  );
}

/** A group of controls under one name, such as radio buttons or check boxes. */
export function GroupField({
  field,
  label,
  hint,
  onMeant,
  children,
}: Omit<Props, 'children'> & { children: ReactNode }) {
  const id = useId();
  const faults = useContext(FaultsContext).get(field) ?? [];
  const describedBy = [hint ? `${id}-hint` : '', faults.length > 0 ? `${id}-fault` : '']
    .filter(Boolean)
    .join(' ');
  return (
    <fieldset
      className="form-field"
      data-field={field}
      data-faulty={faults.length > 0 || undefined}
      aria-describedby={describedBy || undefined}
    >
      <legend>{label}</legend>
      {children}
      {hint && (
        <p id={`${id}-hint`} className="form-hint">
          {hint}
        </p>
      )}
      <Faults id={`${id}-fault`} faults={faults} onMeant={onMeant} />
    </fieldset>
  );
}

interface FaultsProps {
  id: string;
  faults: readonly ShownFault[];
  onMeant?: ((name: string) => void) | undefined;
}

export function Faults({ id, faults, onMeant }: FaultsProps) {
  const t = useTexts();
  if (faults.length === 0) return null;
  return (
    <ul id={id} className="form-faults">
      {faults.map(({ message, suggestion }) => {
        const meant = meantBy(suggestion);
        return (
          <li key={`${message}${suggestion ?? ''}`} data-testid="fault">
            {message}
            {suggestion ? ` – ${suggestion}` : ''}
            {meant !== null && onMeant && (
              <button type="button" className="button form-meant" onClick={() => onMeant(meant)}>
                {t('fault.use', { name: meant })}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
