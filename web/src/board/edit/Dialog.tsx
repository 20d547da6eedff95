import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import './dialog.css';

interface Props {
  title: string;
  testId: string;
  onClose: () => void;
  children: ReactNode;
}

/** A question that stands above everything else until it is answered. Escape is the answer that changes nothing. */
export function Dialog({ title, testId, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // In time: what had the focus gets it back from a dialog that is closed while it still stands in the document.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="be-dialog"
      aria-labelledby={id}
      data-testid={testId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
