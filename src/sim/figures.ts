/**
 * What a replay comes to, in figures.
 */
import type { SimJob } from './job.ts';
import type { NodeTime } from './meter.ts';
import type { Replayed } from './replay.ts';
import { CURVES, type Curve } from './series.ts';

/** The shortest run time that counts for the slowdown, ms: else a job of one second dominates every mean. */
const TAU = 10_000;

export interface Waits {
  /** ms, rounded to whole ones. */
  readonly mean: number;
  /** 95 of 100 jobs waited no longer. */
  readonly p95: number;
  readonly most: number;
  /** Mean bounded slowdown: (wait + run) / run, with runs of at least 10 s, and never below 1 (Feitelson). */
  readonly slowdown: number;
}

export interface Figures {
  readonly waits: Waits;
  /** ms of machines; the three add up to the whole. */
  readonly time: NodeTime;
  readonly total: number;
  /** In the money of the price; null without a price. */
  readonly cost: number | null;
  readonly peak: number;
  readonly boots: number;
  /** When the last job ended, epoch ms. */
  readonly lastEnd: number;
  readonly warnings: readonly { readonly text: string; readonly times: number }[];
}

/** For the charts: averages over equal stretches of time. */
export interface Curves {
  /** Epoch ms. */
  readonly start: number;
  /** ms */
  readonly width: number;
  readonly values: Readonly<Record<Curve, readonly number[]>>;
}

/** @param price of one hour of one machine, or null */
export function figures(jobs: readonly SimJob[], replayed: Replayed, price: number | null): Figures {
  const { boot, work, idle } = replayed.meter.time;
  return {
    waits: waits(jobs, replayed.waits),
    time: { work, boot, idle },
    total: work + boot + idle,
    cost: price === null ? null : rounded((replayed.meter.billed / 3_600_000) * price, 100),
    peak: replayed.meter.peak,
    boots: replayed.meter.boots,
    lastEnd: replayed.lastEnd,
    warnings: [...replayed.warnings].map(([text, times]) => ({ text, times })),
  };
}

export function curves({ meter: { series } }: Replayed): Curves {
  const values = Object.fromEntries(CURVES.map((curve) => [curve, series.averages(curve)])) as Curves['values'];
  return { start: series.start, width: series.width, values };
}

function waits(jobs: readonly SimJob[], of: Float64Array): Waits {
  const sorted = of.toSorted();
  let sum = 0;
  let slow = 0;
  for (const job of jobs) {
    const wait = of[job.number] ?? 0;
    sum += wait;
    slow += Math.max(1, (wait + job.run) / Math.max(job.run, TAU));
  }
  return {
    mean: Math.round(sum / jobs.length),
    p95: sorted[Math.ceil(jobs.length * 0.95) - 1] ?? 0,
    most: sorted.at(-1) ?? 0,
    slowdown: rounded(slow / jobs.length, 1000),
  };
}

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
