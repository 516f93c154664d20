/**
 * `hybrid-cloud lab`: the main job on one machine, for real. It brings up a cluster and a cloud (`lab/*.sh`), lets the
 * unchanged service run against them, and takes everything away again, however it ends.
 */
import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { Screen } from '../render/screen.ts';
import { plain } from '../render/text.ts';
import { byHand } from './batch.ts';
import { live } from './live.ts';
import { runSample } from './once.ts';
import { Interrupted, LabError, type LabParts } from './parts.ts';
import { printReport } from './print.ts';
import { type Scripts, scripts } from './scripts.ts';

export interface LabArgs {
  readonly mode: 'live' | 'once' | 'up' | 'down';
  readonly json: boolean;
}

/** @returns exit code: 0 all well, 1 something did not hold, 130 interrupted (and cleaned up) */
export async function lab(args: LabArgs, parts: LabParts): Promise<number> {
  const say = saying(parts);
  const lines = scripts(parts, say, args.mode !== 'down');
  try {
    if (args.mode === 'down') await lines.down();
    else if (args.mode === 'up') await up(parts, lines);
    else return await withLab(parts, lines, say, () => work(args, parts, say));
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return 130;
    if (!(error instanceof LabError)) throw error;
    parts.err.write(`${error.message}\n`);
    return 1;
  }
}

/** One line of progress, with the seconds since now in front. */
export function saying({ clock, err }: LabParts): (text: string) => void {
  const began = clock.monotonic();
  return (text) => {
    const at = Math.floor((clock.monotonic() - began) / 1000);
    err.write(`${String(at).padStart(3)} s  ${plain(text)}\n`);
  };
}

/** Against a lab that is up, with its service started. @returns the exit code. @throws Interrupted, LabError */
export async function work(
  args: Pick<LabArgs, 'mode' | 'json'>,
  parts: LabParts,
  say: (text: string) => void,
): Promise<number> {
  if (args.mode === 'live') return live(parts, say);
  const report = await runSample(parts, say);
  if (args.json) await write(parts.out, `${JSON.stringify(report, null, 2)}\n`);
  else await write(parts.out, `\n${printReport(report, screen(parts)).join('\n')}\n\n`);
  if (!report.ok && parts.simulated === undefined)
    parts.err.write(`last words of the service:\n${await lastLines(parts.place.serviceLog)}\n`);
  return report.ok ? 0 : 1;
}

/** Brings it up, does the work, and takes it away in any case. */
async function withLab(
  parts: LabParts,
  lines: Scripts,
  say: (text: string) => void,
  body: () => Promise<number>,
): Promise<number> {
  await lines.install();
  stopIfAborted(parts);
  try {
    await interruptible(parts, () => lines.up());
    await interruptible(parts, () => lines.startService());
    return await interruptible(parts, body);
  } catch (error) {
    if (error instanceof Interrupted) say('interrupted: taking everything down');
    throw error;
  } finally {
    await lines.down();
  }
}

/** An abort makes whatever is under way fail in some way of its own: it is an interruption all the same. */
async function interruptible<T>(parts: LabParts, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw parts.signal.aborted ? new Interrupted() : error;
  }
}

function stopIfAborted(parts: LabParts): void {
  if (parts.signal.aborted) throw new Interrupted();
}

/** Leaves a cluster and its cloud to whoever wants to try things; without the service. */
async function up(parts: LabParts, lines: Scripts): Promise<void> {
  await lines.install();
  stopIfAborted(parts);
  try {
    await interruptible(parts, () => lines.up());
  } catch (error) {
    if (error instanceof Interrupted) await lines.down();
    throw error;
  }
  const { place } = parts;
  const { prepare, submit } = byHand(place);
  await write(
    parts.out,
    `
The cluster is up, without nodes. In this shell:

  ${prepare}
  ./hybrid-cloud run --config-dir ${place.configDir}

and in a second one:

  ${prepare}
  ${submit}
  ./hybrid-cloud status --socket ${place.socket}

What nodes mount on ${place.sharedOnNodes} is ${place.shared} here.
${[...place.variables, './hybrid-cloud'].join(' ')} lab down takes everything away.
`,
  );
}

function screen(parts: LabParts): Screen {
  return { columns: parts.columns(), color: parts.color, now: parts.clock.now() };
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '(no log)');
  return text.trimEnd().split('\n').slice(-20).map(plain).join('\n');
}

function write(to: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
