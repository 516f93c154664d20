/**
 * Carries the durable clocks over a restart. They are epoch ms of the service's own steady time; whatever became of the
 * wall clock meanwhile (a step, a reboot, another machine), what had elapsed before is what has elapsed after. The time
 * the service was down counts only when two clocks agree on it; else it counts as nothing: later is never wrong.
 */
import type { DatabaseSync } from 'node:sqlite';

/** One moment, as all clocks saw it; ms. */
export interface Moment {
  /** The service's own time. */
  readonly steady: number;
  /** The wall clock. */
  readonly wall: number;
  /** Since this machine started. */
  readonly boot: number;
}

/** Two clocks agree within this, and within a thousandth (NTP may slow or hurry a clock by half of that); ms. */
const AGREE = 2000;

/**
 * How far stored times must be moved so that they fit the wall's time now.
 * @returns ms to add; 0 when nothing happened but a restart
 */
export function carryOver(last: Moment, now: Pick<Moment, 'wall' | 'boot'>): number {
  const byWall = now.wall - last.wall;
  const byBoot = now.boot - last.boot;
  const agree = byBoot >= 0 && Math.abs(byWall - byBoot) <= AGREE + byBoot / 1000;
  const shift = now.wall - last.steady - (agree ? byBoot : 0);
  return Math.abs(shift) <= AGREE ? 0 : shift;
}

/** Writes down the moment, for the next start. */
export function keepMoment(db: DatabaseSync, moment: Moment): void {
  db.prepare(
    'INSERT INTO service (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  ).run(KEY, JSON.stringify(moment));
}

/**
 * Moves every stored clock by what `carryOver` says, and the moment with them: a start that dies before it has written
 * down a moment of its own must not have them moved twice.
 * @returns the ms they were moved by
 */
export function carryClocks(db: DatabaseSync, now: Pick<Moment, 'wall' | 'boot'>): number {
  const row = db.prepare('SELECT value FROM service WHERE key = ?').get(KEY) as { value: string } | undefined;
  if (row === undefined) return 0;
  const shift = carryOver(JSON.parse(row.value) as Moment, now);
  if (shift !== 0) move(db, shift, now);
  return shift;
}

const KEY = 'moment';
/** Columns of hosts: since when (never in the future), and until when. */
const SINCE = ['since', 'born_at', 'idle_since', 'missing_since'];
/** Fields of stored facts that are times: the queue's clocks and the brake. */
const FIELDS = ['emptySince', 'noWaitingSince', 'until'];

function move(db: DatabaseSync, shift: number, moment: Pick<Moment, 'wall' | 'boot'>): void {
  const now = moment.wall;
  const since = SINCE.map((column) => `${column} = min(${column} + :shift, :now)`);
  db.exec('BEGIN IMMEDIATE');
  try {
    db.prepare(`UPDATE hosts SET ${since.join(', ')}, retry_at = retry_at + :shift`).run({ shift, now });
    // Machines that are there are counted on; what the ones before them have cost stays where it was.
    db.prepare(`UPDATE lives SET began = min(began + :shift, :now), seen = min(seen + :shift, :now)
      WHERE machine = (SELECT machine_id FROM hosts WHERE hosts.pool = lives.pool AND hosts.name = lives.host)`).run({
      shift,
      now,
    });
    const set = db.prepare('UPDATE facts SET value = ? WHERE rowid = ?');
    const facts = db.prepare('SELECT rowid AS row, value FROM facts').all() as { row: number; value: string }[];
    for (const { row, value } of facts) {
      const moved = moveFields(value, shift);
      if (moved !== value) set.run(moved, row);
    }
    // A service's own time begins with the wall's.
    keepMoment(db, { steady: moment.wall, ...moment });
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function moveFields(text: string, shift: number): string {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return text;
  const moved = Object.entries(value).map(([key, at]): [string, unknown] =>
    FIELDS.includes(key) && typeof at === 'number' ? [key, at + shift] : [key, at],
  );
  return JSON.stringify(Object.fromEntries(moved));
}
