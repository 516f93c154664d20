/**
 * The calendar where the service runs: when the day and the month of a moment begin and end, epoch ms. A day of a clock
 * change has 23 or 25 hours.
 */
export interface Period {
  readonly begins: number;
  readonly ends: number;
}

export function dayOf(at: number): Period {
  const date = new Date(at);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  return { begins: new Date(year, month, day).getTime(), ends: new Date(year, month, day + 1).getTime() };
}

export function monthOf(at: number): Period {
  const date = new Date(at);
  const [year, month] = [date.getFullYear(), date.getMonth()];
  return { begins: new Date(year, month, 1).getTime(), ends: new Date(year, month + 1, 1).getTime() };
}
