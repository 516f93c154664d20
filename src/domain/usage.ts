/**
 * Usage: what machines have cost since the day and the month began, by the calendar where the service runs.
 */
export interface Spent {
  readonly nodeHours: number;
  readonly money: number;
}

export interface Usage {
  readonly day: Spent;
  readonly month: Spent;
  /** When the next day and the next month begin, epoch ms. */
  readonly dayEnds: number;
  readonly monthEnds: number;
}
