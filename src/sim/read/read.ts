/**
 * Reads accounting logs: which format a file has is seen by its first line, gzip by its first bytes. Line by line, so
 * that a log of a gigabyte needs no gigabyte.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { eachLine } from '../../lib/lines.ts';
import { looksLikeSacct, sacctReader } from './sacct.ts';
import { looksLikeSwf, swfReader } from './swf.ts';
import { looksLikeTorque, torqueReader } from './torque.ts';
import { type LineReader, type Sink, type Trace, type TraceJob, Unreadable } from './trace.ts';

/** Longer lines are cut: a job on ten thousand hosts has a long exec_host. Characters. */
const LONGEST = 4_000_000;
const EXAMPLES = 5;
/** Lines of no known format before the first of a known one. */
const MOST_STRANGE = 20;

/** A log that cannot be used at all: the message says what to do. */
export class LogError extends Error {
  override readonly name = 'LogError';
}

/** @throws LogError when a file cannot be read, its format is not known, or no job is in any of them */
export async function readTrace(files: readonly string[]): Promise<Trace> {
  const jobs: TraceJob[] = [];
  const leftOut = new Map<string, number>();
  const formats = new Set<string>();
  const examples: string[] = [];
  let machine: Trace['machine'] = null;
  let unreadable = 0;
  const seen = new Set<string>();
  const sink: Sink = {
    job(job) {
      // Exports of two months that overlap.
      const key = `${job.id} ${job.submit} ${job.run} ${job.cpus}`;
      if (seen.has(key)) return sink.leaveOut('is in the logs twice');
      seen.add(key);
      jobs.push(job);
    },
    leaveOut: (why) => void leftOut.set(why, (leftOut.get(why) ?? 0) + 1),
    machine(nodes, cpus) {
      machine = { nodes, cpus };
    },
  };
  for (const file of files) {
    let read: LineReader | null = null;
    let number = 0;
    let strange = 0;
    const complain = (why: string) => {
      unreadable++;
      if (examples.length < EXAMPLES) examples.push(`${file}:${number}: ${why}`);
    };
    await lines(file, (raw) => {
      number++;
      const line = number === 1 ? raw.replace(/^\uFEFF/, '') : raw;
      if (line.trim() === '') return;
      if (read === null) {
        const found = formatOf(file, line, sink);
        if (found === null) {
          // A log may begin in the middle of a record.
          strange++;
          if (strange > MOST_STRANGE) throw new LogError(unknown(file));
          return complain('of no format that is known');
        }
        formats.add(found.name);
        read = found.read;
        if (found.isHeader) return;
      }
      try {
        read(line);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        complain(error.message);
      }
    });
    if (read === null && strange > 0) throw new LogError(unknown(file));
  }
  if (jobs.length === 0) throw new LogError(nothing(files, leftOut, examples));
  jobs.sort((a, b) => a.submit - b.submit);
  return { jobs, formats: [...formats], machine, leftOut, unreadable, examples };
}

function formatOf(
  file: string,
  line: string,
  sink: Sink,
): { name: string; read: LineReader; isHeader: boolean } | null {
  if (looksLikeSacct(line)) {
    try {
      return { name: 'sacct', read: sacctReader(line, sink), isHeader: true };
    } catch (error) {
      throw new LogError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  if (looksLikeTorque(line)) return { name: 'torque', read: torqueReader(sink), isHeader: false };
  if (looksLikeSwf(line)) return { name: 'swf', read: swfReader(sink), isHeader: false };
  return null;
}

function unknown(file: string): string {
  return `${file}: neither the Standard Workload Format, nor a Torque accounting log, nor sacct -P with its column names`;
}

/** Errors of the reader of a line stop the reading and are thrown here. */
async function lines(file: string, tell: (line: string) => void): Promise<void> {
  try {
    const source = (await isGzip(file)) ? createGunzip() : null;
    const stream = createReadStream(file);
    const from = source ?? stream;
    await new Promise<void>((resolve, reject) => {
      eachLine(from, LONGEST, (line) => {
        try {
          tell(line);
        } catch (error) {
          stream.destroy();
          reject(error);
        }
      });
      from.on('end', resolve);
      from.on('error', reject);
      if (source !== null) pipeline(stream, source).catch(reject);
    });
  } catch (error) {
    if (error instanceof LogError) throw error;
    throw new LogError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function isGzip(file: string): Promise<boolean> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
}

function nothing(files: readonly string[], leftOut: ReadonlyMap<string, number>, examples: readonly string[]): string {
  const why = [...[...leftOut].map(([reason, count]) => `${count} ${reason}`), ...examples];
  return `no job that ran is in ${files.join(', ')}${why.length === 0 ? '' : `: ${why.join('; ')}`}`;
}
