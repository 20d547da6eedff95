import type { ReactNode } from 'react';
import type { Severity } from '../api/types';

interface Props {
  className: string;
  children: ReactNode;
}

/** Icons stand beside words and are hidden from screen readers. */
function Icon({ className, children }: Props) {
  return (
    <svg
      viewBox="0 0 16 16"
      width="1em"
      height="1em"
      aria-hidden="true"
      focusable="false"
      className={className}
    >
      {children}
    </svg>
  );
}

/** Severities differ by shape too, for those who do not see the colours. */
export function SeverityIcon({ severity }: { severity: Severity }) {
  if (severity === 'critical') {
    return (
      <Icon className="icon">
        <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor" />
        <path d="M8 4v5M8 11.200v.600" className="icon-cut" />
      </Icon>
    );
  }
  if (severity === 'warning') {
    return (
      <Icon className="icon">
        <path d="M8 1.500 15.500 15H.500z" fill="currentColor" strokeLinejoin="round" />
        <path d="M8 6v4M8 12v.600" className="icon-cut" />
      </Icon>
    );
  }
  return (
    <Icon className="icon">
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path d="M8 7.200V12M8 4.400v.600" className="icon-cut" />
    </Icon>
  );
}

export function ArrowIcon({ direction }: { direction: 'up' | 'down' | 'flat' }) {
  const path = {
    up: 'M8 3v10M3.500 7.500 8 3l4.500 4.500',
    down: 'M8 13V3M3.500 8.500 8 13l4.500-4.500',
    flat: 'M3 8h10',
  }[direction];
  return (
    <Icon className="icon icon-line">
      <path d={path} />
    </Icon>
  );
}

export function CheckIcon() {
  return (
    <Icon className="icon icon-line">
      <path d="M3 8.500 6.500 12 13 4.500" />
    </Icon>
  );
}

export function ThemeIcon({ theme }: { theme: 'system' | 'light' | 'dark' }) {
  if (theme === 'light') {
    return (
      <Icon className="icon icon-line">
        <circle cx="8" cy="8" r="3" />
        <path d="M8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1" />
      </Icon>
    );
  }
  if (theme === 'dark') {
    return (
      <Icon className="icon icon-line">
        <path d="M13.500 9.800A6 6 0 0 1 6.200 2.500a6 6 0 1 0 7.300 7.300z" />
      </Icon>
    );
  }
  return (
    <Icon className="icon icon-line">
      <rect x="1.500" y="2.500" width="13" height="9" rx="1.500" />
      <path d="M5.500 14.500h5" />
    </Icon>
  );
}

export function GlobeIcon() {
  return (
    <Icon className="icon icon-line">
      <circle cx="8" cy="8" r="6.500" />
      <path d="M1.500 8h13M8 1.500c4 4.300 4 8.700 0 13M8 1.500c-4 4.300-4 8.700 0 13" />
    </Icon>
  );
}

export function ClockIcon() {
  return (
    <Icon className="icon icon-line">
      <circle cx="8" cy="8" r="6.500" />
      <path d="M8 4v4l2.500 1.500" />
    </Icon>
  );
}

export function SearchIcon() {
  return (
    <Icon className="icon icon-line">
      <circle cx="7" cy="7" r="4.500" />
      <path d="m10.300 10.300 4 4" />
    </Icon>
  );
}

export function PersonIcon() {
  return (
    <Icon className="icon icon-line">
      <circle cx="8" cy="5" r="3" />
      <path d="M2.500 14c.6-3 2.700-4.500 5.500-4.500s4.900 1.500 5.500 4.500" />
    </Icon>
  );
}

export function DownIcon() {
  return (
    <Icon className="icon icon-line">
      <path d="M4 6.500 8 10.500l4-4" />
    </Icon>
  );
}

export function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="1.5em" height="1.5em" aria-hidden="true" className="logo">
      <rect width="32" height="32" rx="8" />
      <path d="M5 18h5l3-8 5 14 3.500-9 1.500 3H27" />
    </svg>
  );
}
