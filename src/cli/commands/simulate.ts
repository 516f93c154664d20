/**
 * `simulate`: replays accounting logs and says what every policy would have cost, and how long jobs would have waited.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { fit } from '../../sim/fit.ts';
import type { Shape } from '../../sim/job.ts';
import { LogError, readTrace } from '../../sim/read/read.ts';
import type { Trace } from '../../sim/read/trace.ts';
import type { About } from '../../sim/report/about.ts';
import { reportHtml } from '../../sim/report/html.ts';
import { resultJson } from '../../sim/report/json.ts';
import { casesOf, type Question, type Result, simulate as run } from '../../sim/simulate.ts';
import { startThreads } from '../../sim/threads.ts';
import type { CliParts, Flags } from '../parts.ts';
import { renderSimulation } from '../render/simulate.ts';
import { plain } from '../render/text.ts';
import type { SimulateFlags } from '../simulate-options.ts';
import { progressBar } from './progress.ts';

const SECOND = 1000;
const DAY = 86_400_000;

/** A question that makes no sense: wrong use. */
class Mistake extends Error {}

/** @returns the exit code: 1 when a log cannot be read or the report not be written, 2 for wrong use */
export async function simulate(
  parts: CliParts,
  flags: Flags,
  options: SimulateFlags,
  files: readonly string[],
): Promise<number> {
  const complain = (text: string) => print(parts.err, `${text.split('\n').map(plain).join('\n')}\n`);
  try {
    const trace = await readTrace(files);
    const { about, question } = ask(files, trace, options);
    const result = await answer(parts, question, options);
    if (options.html !== undefined) await writeFile(options.html, reportHtml(about, question, result));
    const screen = { columns: Math.max(20, parts.columns), color: flags.color, now: parts.clock.now() };
    const text = flags.json
      ? JSON.stringify(resultJson(about, question, result), null, 2)
      : renderSimulation(about, question, result, screen).join('\n');
    await print(parts.out, `${text}\n`);
    return 0;
  } catch (error) {
    if (parts.signal?.aborted) return 1;
    if (error instanceof Mistake) {
      await complain(`error: ${error.message}`);
      return 2;
    }
    if (!(error instanceof LogError) && (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    await complain(`error: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

/** The question, from what was typed and what the logs say. @throws Mistake */
function ask(files: readonly string[], trace: Trace, options: SimulateFlags): { about: About; question: Question } {
  const shape = shapeOf(trace, options);
  const first = trace.jobs[0]?.submit ?? 0;
  const { from } = options;
  const fitted = fit(trace.jobs, shape, {
    from: from === undefined ? null : 'at' in from ? from.at : first + from.days * DAY,
    days: options.days ?? null,
    queue: options.queue ?? null,
  });
  const leftOut = new Map([...trace.leftOut, ...fitted.leftOut]);
  if (fitted.jobs.length === 0) {
    const why = [...fitted.leftOut].map(([reason, times]) => `; ${times} ${reason}`).join('');
    throw new Mistake(
      `no job of ${trace.jobs.length} is left to replay: look at --from, --days, --queue and --hosts${why}`,
    );
  }
  return {
    about: {
      files: files.map((file) => basename(file)),
      formats: trace.formats,
      leftOut,
      unreadable: trace.unreadable,
      examples: trace.examples,
    },
    question: {
      jobs: fitted.jobs,
      shape,
      policies: options.policy,
      boots: options.boot.map((s) => s * SECOND),
      idles: options.idle.map((s) => s * SECOND),
      poll: options.poll * SECOND,
      stop: options.stop * SECOND,
      bootSpread: options.bootSpread / 100,
      billingUnit: options.billing * SECOND,
      bucket: options.cloudLimit ?? null,
      price: options.price ?? null,
      seed: options.seed,
      hook: options.hook === true,
    },
  };
}

function shapeOf({ machine }: Trace, options: SimulateFlags): Shape {
  const hosts = options.hosts ?? machine?.nodes;
  if (hosts === undefined)
    throw new Mistake('the log does not say how many hosts there are: give --hosts, and --cpus-per-host');
  const cpus = options.cpusPerHost ?? (machine === null ? 1 : Math.max(1, Math.floor(machine.cpus / machine.nodes)));
  return { hosts, cpus, memoryMiB: options.memoryPerHost ?? 0 };
}

async function answer(parts: CliParts, question: Question, options: SimulateFlags): Promise<Result> {
  const most = options.threads ?? Math.min(4, availableParallelism());
  await using threads = startThreads(question, Math.min(most, casesOf(question).length), parts.signal);
  using bar = progressBar(parts);
  return await run(question, threads.run, bar.show);
}

function print(to: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
