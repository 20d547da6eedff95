import type { ReactNode } from 'react';

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width="1em"
      height="1em"
      aria-hidden="true"
      focusable="false"
      className="icon icon-line"
    >
      {children}
    </svg>
  );
}

export function CrossIcon() {
  return (
    <Icon>
      <path d="M3.500 3.500l9 9M12.500 3.500l-9 9" />
    </Icon>
  );
}

export function GripIcon() {
  return (
    <Icon>
      <path
        d="M6 3.500h.010M10 3.500h.010M6 8h.010M10 8h.010M6 12.500h.010M10 12.500h.010"
        strokeWidth="2.200"
      />
    </Icon>
  );
}

export function UpIcon() {
  return (
    <Icon>
      <path d="M3.500 10 8 5.500l4.500 4.500" />
    </Icon>
  );
}

export function DownIcon() {
  return (
    <Icon>
      <path d="M3.500 6 8 10.500 12.500 6" />
    </Icon>
  );
}

export function BinIcon() {
  return (
    <Icon>
      <path d="M2.500 4h11M6 4V2.500h4V4M4 4l.700 9.500h6.600L12 4M6.700 6.500v4.500M9.300 6.500v4.500" />
    </Icon>
  );
}

export function CopyIcon() {
  return (
    <Icon>
      <path d="M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3" />
    </Icon>
  );
}
