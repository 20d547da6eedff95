import { type Calendar, type Maintenance, type WeekDay, weekDays } from './types';

/** A month as `2026-12`. */
export type Month = string;

/** What stands on one day of the month, by the clocks of what it is. */
export interface DayOfMonth {
  /** `YYYY-MM-DD`. */
  day: string;
  isOther: boolean;
  windows: Maintenance[];
  special: { calendar: string; like: string }[];
}

const DAY_MS = 86_400_000;

/** A day as a number of days, so that days can be counted without a clock. */
function count(day: string): number {
  return Math.round(Date.parse(`${day}T00:00:00Z`) / DAY_MS);
}

function dayOf(days: number): string {
  return new Date(days * DAY_MS).toISOString().slice(0, 10);
}

/** The day of the week of a day; 1970-01-01 was a Thursday. */
export function weekDayOf(day: string): WeekDay {
  return weekDays[(((count(day) + 3) % 7) + 7) % 7] as WeekDay;
}

/** The month before or after one, by so many. */
export function monthsOn(month: Month, by: number): Month {
  const [year = 1970, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
}

/** Whether some of a window lies on a day, by the window's own clock. */
export function isOn(window: Maintenance, day: string): boolean {
  if (window.once) {
    // What ends at midnight has nothing of the day that begins then.
    const last = window.to.slice(0, 10);
    return window.from.slice(0, 10) <= day && (day < last || (day === last && !window.to.endsWith(' 00:00')));
  }
  const begins = (on: string) =>
    window.days === null || window.days.length === 0 || window.days.includes(weekDayOf(on));
  // One that ends before it begins goes on into the next day, and one that ends at midnight does not.
  const isOverNight = window.to <= window.from && window.to !== '00:00';
  return begins(day) || (isOverNight && begins(dayOf(count(day) - 1)));
}

/** Whole weeks, from Monday, that a month lies in. */
export function weeksOf(
  month: Month,
  windows: readonly Maintenance[],
  calendars: readonly Calendar[],
): DayOfMonth[][] {
  const first = count(`${month}-01`);
  const begin = first - weekDays.indexOf(weekDayOf(`${month}-01`));
  const end = count(`${monthsOn(month, 1)}-01`);
  const weeks: DayOfMonth[][] = [];
  for (let at = begin; at < end; at += 7) {
    const week = Array.from({ length: 7 }, (_, i) => {
      const day = dayOf(at + i);
      return {
        day,
        isOther: day.slice(0, 7) !== month,
        windows: windows.filter((window) => isOn(window, day)),
        special: calendars.flatMap(({ name, days }) =>
          days.filter((one) => one.day === day).map(({ like }) => ({ calendar: name, like })),
        ),
      };
    });
    weeks.push(week);
  }
  return weeks;
}
