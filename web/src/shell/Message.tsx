import type { ReactNode } from 'react';

/** A whole page that has only one thing to say. */
export function Message({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="message">
      <h1>{title}</h1>
      {children}
    </div>
  );
}
