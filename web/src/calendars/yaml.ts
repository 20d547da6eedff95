import type { Calendar, Maintenance } from './types';

/** A text as YAML and JSON write it between quotes. */
const quoted = (text: string) => JSON.stringify(text);
const list = (texts: readonly string[]) => `[${texts.map(quoted).join(', ')}]`;

/** A calendar as a file of definitions has it, below its section. */
export function calendarYaml({ name, zone, days }: Pick<Calendar, 'name' | 'zone' | 'days'>): string {
  const lines = [`calendars:`, `  ${name}:`, `    zone: ${quoted(zone)}`];
  if (days.length > 0) lines.push('    days:');
  for (const { day, like } of days) lines.push(`      ${quoted(day)}: ${like}`);
  return `${lines.join('\n')}\n`;
}

export type WrittenWindow = Omit<Maintenance, 'active' | 'next_from' | 'next_to'>;

/** A maintenance window as a file of definitions has it. */
export function windowYaml(window: WrittenWindow): string {
  const lines = ['maintenance:', `  ${window.name}:`];
  if (!window.once && window.days !== null && window.days.length > 0)
    lines.push(`    days: [${window.days.join(', ')}]`);
  lines.push(
    `    from: ${quoted(window.from)}`,
    `    to: ${quoted(window.to)}`,
    `    zone: ${quoted(window.zone)}`,
  );
  if (window.severity) lines.push(`    severity: ${window.severity}`);
  if (window.monitors.length > 0) lines.push(`    monitors: ${list(window.monitors)}`);
  if (window.metrics.length > 0) lines.push(`    metrics: ${list(window.metrics)}`);
  const filters = Object.entries(window.where).filter(([, values]) => values.length > 0);
  if (filters.length > 0) lines.push('    where:');
  for (const [dimension, values] of filters) {
    const texts = values.map((value) => (value === null ? 'null' : quoted(value)));
    lines.push(
      `      ${/^\w+$/.test(dimension) ? dimension : quoted(dimension)}: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
