import { useId } from 'react';
import { calendarTexts } from './texts';

interface TextProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  type?: 'text' | 'time' | 'datetime-local' | 'date';
  hint?: string;
  fault?: string | null | undefined;
  isFixed?: boolean;
  options?: readonly string[];
  testId?: string;
}

/** A field with its name, what it takes, and what is wrong with it. */
export function TextField({
  label,
  value,
  onChange,
  type = 'text',
  hint,
  fault,
  isFixed,
  options,
  testId,
}: TextProps) {
  const id = useId();
  const said = fault ?? hint;
  return (
    <div className="calendar-field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={type}
        value={value}
        readOnly={isFixed}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={fault ? true : undefined}
        aria-describedby={said ? `${id}-said` : undefined}
        list={options ? `${id}-list` : undefined}
        data-testid={testId}
        onChange={({ target }) => onChange(target.value)}
      />
      {options && (
        <datalist id={`${id}-list`}>
          {options.map((option) => (
            <option key={option} value={option} />
          ))}
        </datalist>
      )}
      {said && (
        <p id={`${id}-said`} className={fault ? 'calendar-fault' : 'dim'}>
          {said}
        </p>
      )}
    </div>
  );
}

interface NameProps {
  name: string;
  fault: string | null;
  /** A definition that is there keeps its name. */
  isFixed: boolean;
  onChange: (name: string) => void;
}

/** What a definition is called. */
export function NameField({ name, fault, isFixed, onChange }: NameProps) {
  const t = calendarTexts.use();
  return (
    <TextField
      label={t('form.name')}
      value={name}
      onChange={onChange}
      hint={t('form.name.hint')}
      fault={fault}
      isFixed={isFixed}
      testId="calendar-name"
    />
  );
}

/** By which clock it is. */
export function ZoneField({ zone, onChange }: { zone: string; onChange: (zone: string) => void }) {
  const t = calendarTexts.use();
  const fault = isZone(zone) ? null : t('fault.zone');
  return <TextField label={t('form.zone')} value={zone} onChange={onChange} fault={fault} options={zones} />;
}

/** What is wrong with a name; null where nothing is, or where nothing was written yet. */
export function useNameFault(name: string, isExisting: boolean, taken: readonly string[]): string | null {
  const t = calendarTexts.use();
  if (isExisting || name === '') return null;
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) return t('fault.name');
  return taken.includes(name) ? t('fault.taken') : null;
}

/** The names of time zones that the browser knows. */
const zones: readonly string[] = [
  'UTC',
  ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC'),
];

export function isZone(zone: string): boolean {
  try {
    return zone !== '' && Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}
