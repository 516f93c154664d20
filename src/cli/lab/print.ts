/** The report as text: a table of jobs, a table of nodes, and the checks. */
import { count } from '../../domain/words.ts';
import { paint, type Screen } from '../render/screen.ts';
import { type Column, table } from '../render/table.ts';
import type { JobLine, NodeLine, Report } from './report.ts';

const JOBS: readonly Column[] = [
  { head: 'JOB' },
  { head: 'ASKED FOR' },
  { head: 'WAITED', align: 'right' },
  { head: 'RAN', align: 'right' },
  { head: 'ON' },
  { head: 'RESULT' },
];

const NODES: readonly Column[] = [
  { head: 'NODE' },
  { head: 'MACHINE', spare: 1 },
  { head: 'ASKED', align: 'right' },
  { head: 'UP', align: 'right' },
  { head: 'JOINED', align: 'right' },
  { head: 'JOBS', align: 'right' },
  { head: 'DRAINED', align: 'right' },
  { head: 'GONE', align: 'right' },
  { head: 'WHY IT WENT' },
];

export function printReport(report: Report, screen: Screen): string[] {
  const failed = report.checks.filter((check) => !check.ok);
  return [
    ...table(
      JOBS,
      report.jobs.map((job) => jobRow(job)),
      screen,
    ),
    '',
    ...table(
      NODES,
      report.nodes.map((node) => nodeRow(node, report.startedAt)),
      screen,
    ),
    'Times of nodes are counted from the first submission.',
    '',
    summary(report),
    ...table(
      [{ head: '' }, { head: '' }],
      report.checks.map((check) => [
        check.ok ? { text: 'ok', style: 'green' as const } : { text: 'FAILED', style: 'red' as const },
        check.ok ? check.name : `${check.name}: ${check.seen}`,
      ]),
      screen,
    ),
    '',
    failed.length === 0
      ? paint(screen, 'green', 'Everything held.')
      : paint(screen, 'red', `${count(failed.length, 'check', 'checks')} of ${report.checks.length} failed.`),
  ];
}

function summary(report: Report): string {
  const wait = report.averageWait === null ? 'nothing ran' : `average wait ${seconds(report.averageWait)}`;
  return `${seconds(report.took)} in all, ${wait}, at most ${report.mostMachines} of ${report.maxNodes} machines at one time.`;
}

function jobRow(job: JobLine): string[] {
  return [job.name, job.asks, seconds(job.waited), seconds(job.ran), job.hosts.join(',') || '-', result(job)];
}

function result(job: JobLine): string {
  if (job.startedAt === null) return `never ran${job.because === '' ? '' : `: ${job.because}`}`;
  if (job.state === 'COMPLETED')
    return job.proofs === null || job.proofs.length === job.hosts.length ? 'done' : 'done, but without its result';
  return job.state;
}

function nodeRow(node: NodeLine, from: number): string[] {
  const at = (time: number | null) => (time === null ? '-' : `+${seconds(time - from)}`);
  const { createdAt, upAt, joinedAt, drainedAt, goneAt } = node;
  const times = [at(createdAt), at(upAt), at(joinedAt), String(node.jobs.length), at(drainedAt), at(goneAt)];
  return [node.host, node.machine, ...times, node.why || '-'];
}

/** `12 s`; batch systems count whole seconds, so more digits would be invented. */
function seconds(ms: number | null): string {
  return ms === null ? '-' : `${Math.round(ms / 1000)} s`;
}
