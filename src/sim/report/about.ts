/**
 * What was simulated: everything but the figures. Goes into the table's head, the JSON and the report.
 */
import { count } from '../../domain/words.ts';
import type { Question } from '../simulate.ts';
import { date, grouped } from './words.ts';

export interface About {
  /** Names of the logs, without their folders. */
  readonly files: readonly string[];
  readonly formats: readonly string[];
  readonly leftOut: ReadonlyMap<string, number>;
  readonly unreadable: number;
  readonly examples: readonly string[];
}

/** A few lines for people. */
export function describe(about: About, question: Question): readonly string[] {
  const { jobs, shape, bucket } = question;
  const from = date(jobs[0]?.submit ?? 0);
  const to = date(jobs.at(-1)?.submit ?? 0);
  const memory = shape.memoryMiB === 0 ? '' : ` and ${grouped(shape.memoryMiB)} MiB`;
  const lines = [
    `${grouped(jobs.length)} jobs of ${about.files.join(', ')} (${about.formats.join(', ')}), submitted ${from} to ${to}, on ${count(shape.hosts, 'host', 'hosts')} with ${count(shape.cpus, 'CPU', 'CPUs')}${memory}`,
    `scheduler: first come, first served, with EASY backfill; POLL_INTERVAL ${question.poll / 1000} s${question.hook ? ' and a submit hook' : ''}; seed ${question.seed}`,
  ];
  if (bucket !== null)
    lines.push(`the cloud accepts ${grouped(bucket.burst)} machines at once and ${bucket.perSecond} per second`);
  for (const [why, times] of about.leftOut) lines.push(`left out: ${count(times, 'job', 'jobs')}: ${why}`);
  if (about.unreadable > 0) {
    lines.push(`${count(about.unreadable, 'record', 'records')} could not be read:`);
    lines.push(...about.examples.map((example) => `  ${example}`));
  }
  return lines;
}

/** The same and the settings, for machines. */
export function aboutJson(about: About, question: Question): Record<string, unknown> {
  const { jobs, shape } = question;
  return {
    log: {
      files: about.files,
      formats: about.formats,
      jobs: jobs.length,
      firstSubmit: new Date(jobs[0]?.submit ?? 0).toISOString(),
      lastSubmit: new Date(jobs.at(-1)?.submit ?? 0).toISOString(),
      leftOut: Object.fromEntries(about.leftOut),
      unreadable: about.unreadable,
      examples: about.examples,
    },
    pool: { hosts: shape.hosts, cpusPerHost: shape.cpus, memoryMiBPerHost: shape.memoryMiB },
    settings: {
      seed: question.seed,
      pollSeconds: question.poll / 1000,
      hook: question.hook,
      stopSeconds: question.stop / 1000,
      bootSpread: question.bootSpread,
      billingUnitSeconds: question.billingUnit / 1000,
      price: question.price,
      cloud: question.bucket,
    },
  };
}
