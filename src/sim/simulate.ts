/**
 * The whole simulation: the same jobs under every policy, boot time and idle time that was asked for, beside the pool
 * that is always on and the least that any policy could use.
 */
import type { Policy } from '../domain/pool.ts';
import { alwaysOn } from './always-on.ts';
import { bounds } from './bounds.ts';
import type { BucketOptions } from './bucket.ts';
import { type Curves, curves, type Figures, figures } from './figures.ts';
import type { Shape, SimJob } from './job.ts';
import { replay } from './replay.ts';

export interface Question {
  readonly jobs: readonly SimJob[];
  readonly shape: Shape;
  readonly policies: readonly Policy[];
  /** ms, each. */
  readonly boots: readonly number[];
  readonly idles: readonly number[];
  readonly poll: number;
  readonly stop: number;
  readonly bootSpread: number;
  readonly billingUnit: number;
  readonly bucket: BucketOptions | null;
  /** Of one hour of one machine. */
  readonly price: number | null;
  readonly seed: number;
  /** A submit hook makes the service look when a job arrives. */
  readonly hook: boolean;
}

/** One replay of the question; numbers in ms. */
export interface Case {
  readonly policy: Policy;
  readonly boot: number;
  readonly idle: number;
}

export interface CaseResult extends Case {
  readonly figures: Figures;
  /** How much longer a job waits, on average, than on the pool that is always on; ms. */
  readonly added: number;
  readonly curves: Curves;
}

export interface Result {
  readonly alwaysOn: { readonly figures: Figures; readonly curves: Curves };
  /** For each boot time; ms of machines. */
  readonly bounds: readonly { readonly boot: number; readonly foresight: number; readonly floor: number }[];
  readonly cases: readonly CaseResult[];
}

/** Runs one case; several may run at the same time. */
export type RunCase = (at: Case, onProgress: (part: number) => void) => Promise<Omit<CaseResult, 'added'>>;

/** All replays a question asks for: by boot time, then policy, then idle time. */
export function casesOf(question: Question): readonly Case[] {
  return question.boots.flatMap((boot) =>
    question.policies.flatMap((policy) => question.idles.map((idle) => ({ policy, boot, idle }))),
  );
}

/**
 * @param run how a case is run: in this thread or in another one
 * @param onProgress is told the part of the whole that is done, 0 to 1
 */
export async function simulate(
  question: Question,
  run: RunCase,
  onProgress: (part: number) => void = () => {},
): Promise<Result> {
  const { jobs, shape } = question;
  const on = alwaysOn(jobs, shape, question.billingUnit);
  const base = figures(jobs, on, question.price);
  const cases = casesOf(question);
  const parts = cases.map(() => 0);
  const results = await Promise.all(
    cases.map((one, at) =>
      run(one, (part) => {
        parts[at] = part;
        onProgress(parts.reduce((sum, each) => sum + each, 0) / parts.length);
      }),
    ),
  );
  return {
    alwaysOn: { figures: base, curves: curves(on) },
    bounds: question.boots.map((boot) => ({ boot, ...bounds(jobs, on.starts, shape, boot) })),
    cases: results.map((one) => ({ ...one, added: one.figures.waits.mean - base.waits.mean })),
  };
}

/** One case, here and now. */
export async function runCase(
  question: Question,
  one: Case,
  onProgress?: (part: number) => void,
  signal?: AbortSignal,
): Promise<Omit<CaseResult, 'added'>> {
  const replayed = await replay({ ...question, ...one, onProgress, signal });
  onProgress?.(1);
  return { ...one, figures: figures(question.jobs, replayed, question.price), curves: curves(replayed) };
}
