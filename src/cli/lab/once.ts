/** The sample, from the first submission until the last node has gone; then the report. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StatusView } from '../../controller/view.ts';
import { list, span } from '../../domain/words.ts';
import { type MachineLife, readAccount } from './account.ts';
import { type LabBatch, type LabJob, labBatch } from './batch.ts';
import { type Api, Interrupted, LabError, type LabParts } from './parts.ts';
import type { Report, Seen } from './report.ts';
import { makeReport } from './report.ts';
import { type SampleJob, sampleJobs } from './sample.ts';
import { type Watched, watching } from './watching.ts';

const LOOK_MS = 500;
/** The sample takes about a minute; whoever waits longer has a defect to look at, not patience to prove. */
const LIMIT_MS = 200_000;
const START_LIMIT_MS = 30_000;
const WAITS = new Set(['PENDING', 'CONFIGURING', 'RUNNING', 'COMPLETING', 'SUSPENDED']);

/**
 * Needs a lab that is up with its service started.
 * @param say one line of progress
 * @throws LabError when it cannot even begin; Interrupted
 */
export async function runSample(parts: LabParts, say: (text: string) => void): Promise<Report> {
  const { clock, place } = parts;
  if (place.hosts < 2) throw new LabError('the sample needs at least 2 hosts (LAB_HOSTS)');
  const api = parts.openClient(place.socket);
  const batch = labBatch(parts);
  const status = await untilReady(parts, api);
  const sample = sampleJobs(place.hosts);
  const startedAt = clock.now();
  const ids = await submitAll(batch, sample);
  say(`submitted ${sample.length} jobs: ${list([...ids.keys()], 12)}`);

  const watched = watching(parts, api, ids, say);
  const trouble = await follow(parts, batch, watched, sample, ids, say);
  await watched.look();
  const endedAt = clock.now();
  const lives = await machines(parts);
  const seen: Seen = {
    sample,
    ids,
    jobs: await batch.jobs(),
    // Simulated nodes have no files.
    marker: parts.simulated === undefined ? await firstLine(join(place.shared, 'marker')) : null,
    results: parts.simulated === undefined ? await results(join(place.shared, 'results')) : new Map(),
    lives,
    moves: watched.moves,
    events: watched.events,
    verdicts: watched.verdicts,
    maxNodes: status.maxNodes,
    left: lives.filter((life) => life.goneAt === null).map((life) => life.host),
    startedAt,
    endedAt,
    trouble,
  };
  return makeReport(seen);
}

/** Until the service has read both sides once. */
async function untilReady(parts: LabParts, api: Api): Promise<StatusView> {
  const from = parts.clock.monotonic();
  for (;;) {
    let why: string;
    try {
      const status = await api.get<StatusView>('/status', { limit: 5000 });
      if (status.batch.ok && status.cloud.ok && status.tally !== null) return status;
      why = `${status.batch.message} ${status.cloud.message}`.trim() || 'it has not read anything yet';
    } catch (error) {
      why = (error as Error).message;
    }
    if (parts.clock.monotonic() - from > START_LIMIT_MS) {
      throw new LabError(`the service is not ready after ${span(START_LIMIT_MS)}: ${why}`);
    }
    await pause(parts);
  }
}

async function submitAll(batch: LabBatch, sample: readonly SampleJob[]): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const job of sample) ids.set(job.name, await batch.submit(job, ids));
  return ids;
}

/**
 * Until every job that can run has ended; then the others are cancelled, because as long as they wait the queue is not
 * empty; then until the last machine has gone.
 * @returns why it did not come to its end, or null
 */
async function follow(
  parts: LabParts,
  batch: LabBatch,
  watched: Watched,
  sample: readonly SampleJob[],
  ids: ReadonlyMap<string, string>,
  say: (text: string) => void,
): Promise<string | null> {
  const from = parts.clock.monotonic();
  const told = new Map<string, string>();
  let cancelled = false;
  for (;;) {
    await watched.look();
    const jobs = await batch.jobs();
    for (const line of changes(jobs, sample, ids, told)) say(line);
    const open = jobs.filter((job) => WAITS.has(job.state) && job.state !== 'COMPLETING');
    const never = sample.filter((job) => job.fate !== 'runs').map((job) => ids.get(job.name) ?? '');
    if (!cancelled && open.every((job) => never.includes(job.root))) {
      const names = sample.filter((job) => job.fate !== 'runs').map((job) => job.name);
      say(`all others have ended; ${list(names)} are cancelled now, so that the queue is empty and the nodes may go`);
      await batch.cancel(never);
      cancelled = true;
    }
    const left = (await machines(parts)).filter((life) => life.goneAt === null);
    if (cancelled && left.length === 0) return null;
    if (parts.clock.monotonic() - from > LIMIT_MS) {
      return cancelled
        ? `${list(left.map((life) => life.host))} did not go within ${span(LIMIT_MS)}`
        : `jobs did not end within ${span(LIMIT_MS)}`;
    }
    await pause(parts);
  }
}

/** Says of each job once that it runs and once that it has ended. */
function changes(
  jobs: readonly LabJob[],
  sample: readonly SampleJob[],
  ids: ReadonlyMap<string, string>,
  told: Map<string, string>,
): string[] {
  return jobs.flatMap((job) => {
    if (told.get(job.id) === job.state || job.state === 'PENDING' || job.state === 'COMPLETING') return [];
    told.set(job.id, job.state);
    const name = sample.find((one) => ids.get(one.name) === job.root)?.name ?? job.id;
    const task = job.id === job.root && (job.task ?? 0) === 0 ? '' : `[${job.task}]`;
    const where = job.nodeList === '' ? '' : ` on ${job.nodeList}`;
    return [`job ${name}${task} ${job.state.toLowerCase()}${where}`];
  });
}

async function pause(parts: LabParts): Promise<void> {
  await parts.clock.sleep(LOOK_MS, parts.signal);
  if (parts.signal.aborted) throw new Interrupted();
}

async function machines({ simulated, place }: LabParts): Promise<readonly MachineLife[]> {
  return simulated?.lives() ?? readAccount(await readFile(place.account, 'utf8').catch(() => ''));
}

async function firstLine(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).split('\n')[0] ?? '';
}

/** The jobs' own output (`*.out`) and unfinished files are no results. */
async function results(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).filter((name) => !/\.(out|new)$/.test(name));
  return new Map(await Promise.all(names.map(async (name) => [name, await firstLine(join(folder, name))] as const)));
}
