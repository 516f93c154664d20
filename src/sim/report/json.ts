/**
 * The result for machines. Nothing in it depends on the machine or the moment it was made on: the same log, settings
 * and seed give the same bytes. Times of machines are whole milliseconds, so that `work + boot + idle = total` exactly.
 */
import type { Figures } from '../figures.ts';
import type { Question, Result } from '../simulate.ts';
import { type About, aboutJson } from './about.ts';

export function resultJson(about: About, question: Question, result: Result): Record<string, unknown> {
  return {
    ...aboutJson(about, question),
    alwaysOn: figuresJson(result.alwaysOn.figures),
    bounds: result.bounds.map(({ boot, foresight, floor }) => ({
      bootSeconds: boot / 1000,
      foresightNodeMs: foresight,
      floorNodeMs: floor,
    })),
    cases: result.cases.map((one) => ({
      policy: one.policy,
      bootSeconds: one.boot / 1000,
      idleSeconds: one.idle / 1000,
      addedMeanWaitSeconds: one.added / 1000,
      ...figuresJson(one.figures),
    })),
  };
}

function figuresJson(figures: Figures): Record<string, unknown> {
  const { waits, time, total } = figures;
  return {
    waitSeconds: { mean: waits.mean / 1000, p95: waits.p95 / 1000, max: waits.most / 1000 },
    boundedSlowdown: waits.slowdown,
    nodeMs: { work: time.work, boot: time.boot, idle: time.idle, total },
    cost: figures.cost,
    peakNodes: figures.peak,
    boots: figures.boots,
    lastEnd: new Date(figures.lastEnd).toISOString(),
    warnings: figures.warnings,
  };
}
