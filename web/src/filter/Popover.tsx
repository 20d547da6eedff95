import {
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import './filter.css';

interface Props {
  /** What the button shows. */
  label: ReactNode;
  /** What the button and the panel are called where the label does not say it. */
  name: string;
  className?: string;
  align?: 'start' | 'end';
  testId?: string;
  children: (close: () => void) => ReactNode;
}

/** A button that opens a panel below it. Escape, a press elsewhere and moving on by keyboard close it. */
export function Popover({ label, name, className = 'button', align = 'start', testId, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  const [side, setSide] = useState(align);
  useLayoutEffect(() => {
    const box = isOpen ? panel.current?.getBoundingClientRect() : undefined;
    if (!box) return setSide(align);
    // A panel that does not fit on its side opens to the other one.
    if (box.right > document.documentElement.clientWidth) setSide('end');
    else if (box.left < 0) setSide('start');
  }, [isOpen, align]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    panel.current?.querySelector<HTMLElement>('input, select, button, a')?.focus();
    const onDown = (event: PointerEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  }, [isOpen]);
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.stopPropagation();
    close();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape is heard wherever the focus is within
    <div
      className="popover-root"
      ref={root}
      onKeyDown={onKey}
      onBlur={(event) => {
        const next = event.relatedTarget;
        if (next instanceof Node && !event.currentTarget.contains(next)) setOpen(false);
      }}
    >
      <button
        ref={button}
        type="button"
        className={className}
        aria-expanded={isOpen}
        aria-haspopup="dialog"
        aria-controls={isOpen ? id : undefined}
        title={name}
        data-testid={testId}
        onClick={() => setOpen(!isOpen)}
      >
        {label}
      </button>
      {isOpen && (
        <div ref={panel} id={id} role="dialog" aria-label={name} className="popover-panel" data-align={side}>
          {children(close)}
        </div>
      )}
    </div>
  );
}
