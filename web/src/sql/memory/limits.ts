/** How much a run may ask for. They narrow what the server allows, which is 100 000 rows and 30 s unless it is set otherwise. */
export const rowChoices = [100, 1_000, 10_000, 50_000] as const;
export const secondChoices = [5, 10, 30] as const;

export interface Limits {
  rows: number;
  seconds: number;
}

const KEY = 'tillwatch.sql.limits';
const usual: Limits = { rows: 10_000, seconds: 30 };

export function storedLimits(): Limits {
  try {
    const [rows, seconds] = (localStorage.getItem(KEY) ?? '').split(' ').map(Number);
    return {
      rows: rowChoices.find((choice) => choice === rows) ?? usual.rows,
      seconds: secondChoices.find((choice) => choice === seconds) ?? usual.seconds,
    };
  } catch {
    return usual;
  }
}

export function storeLimits({ rows, seconds }: Limits): void {
  try {
    localStorage.setItem(KEY, `${rows} ${seconds}`);
  } catch {
    // It is forgotten with the page.
  }
}
