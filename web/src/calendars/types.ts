/** Days of the week as definitions write them, Monday first. */
export const weekDays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type WeekDay = (typeof weekDays)[number];

/** A clock, and days that are unlike the others. */
export interface Calendar {
  name: string;
  zone: string;
  /** In order; a day is like one of the week, or like `none`: nothing is compared with it. */
  days: { day: string; like: string }[];
  used_by: string[];
}

/** A time in which nobody is told of incidents. */
export interface Maintenance {
  name: string;
  /** `HH:MM`, or `YYYY-MM-DD HH:MM` for a window that is once. */
  from: string;
  to: string;
  zone: string;
  days: string[] | null;
  once: boolean;
  severity: string | null;
  monitors: string[];
  metrics: string[];
  where: Record<string, (string | null)[]>;
  active: boolean;
  next_from: string | null;
  next_to: string | null;
}

export interface Calendars {
  calendars: Calendar[];
  maintenance: Maintenance[];
}
