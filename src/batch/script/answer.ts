/**
 * What get_status answered: counts, as the specification's own functions give them, or JSON.
 */
import type { z } from 'zod';
import { BatchError } from '../../domain/errors.ts';
import { oneLine } from '../../lib/log.ts';
import { type Called, lastLine } from './driver.ts';
import { answerShape, jobShape, nodeShape, type ScriptJob, type ScriptNode } from './shape.ts';
import { keyTwice } from './twice.ts';

export interface Counts {
  readonly kind: 'counts';
  /** By the batch system's own codes, or PD and R. */
  readonly tally: Readonly<Record<string, number>>;
  readonly waiting: number;
  /** Waiting, but by their code not for nodes: held, at a later time. */
  readonly kept: number;
  readonly running: number;
  readonly unreadable: readonly string[];
}

export interface Entries {
  readonly kind: 'entries';
  readonly jobs: readonly ScriptJob[];
  /** Null = the script tells nothing of nodes. */
  readonly nodes: readonly ScriptNode[] | null;
  /** Entries that cannot be read: a line for people, and the text that may name hosts. */
  readonly broken: readonly { readonly line: string; readonly text: string }[];
}

/** Codes of Slurm, Torque, PBS and Grid Engine. One that is not here counts as running: it may hold a node. */
const WAITING = /^(PD|RQ|RF|Q|qw)$/;
const KEPT = /^(H|W|T|RH|SE|RD|hqw|Rq|hRwq|Eqw)$/;
const RUNNING = /^(R|CF|CG|S|ST|SI|SO|RS|E|U|B|r|t|s|hr|dr|Rr)$/;
const ENDED = /^(C|CD|CA|F|TO|NF|PR|OOM|DL|BF|X|M)$/;

/** @throws BatchError `silent` when the function failed, `garbled` when it gave no answer */
export function readAnswer(called: Called): Counts | Entries {
  const body = called.output.trim();
  if (body.startsWith('{')) return readEntries(body, called);
  if (called.code !== 0) {
    const said = lastLine(called.stderr) || lastLine(called.output);
    throw new BatchError('silent', `get_status ended with ${called.code}${said === '' ? '' : `: ${said}`}`, {
      hint: 'get_status must return 0 when it could count the jobs, and only then',
    });
  }
  if (called.waitCount !== undefined || called.runCount !== undefined) return fromVariables(called);
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  const found = lines.map((line) => /^\s*(\d{1,9})\s+([A-Za-z]{1,6})\s*$/.exec(line));
  if (!found.some((match) => match !== null)) {
    // nothing was set since there was nothing to count, and nothing that failed: the functions of the specification
    if (called.hasCounts && lines.length === 0) return fromVariables({ ...called, waitCount: '0', runCount: '0' });
    throw new BatchError('garbled', 'get_status gave no counts', {
      hint: 'it must set WAIT_COUNT and RUN_COUNT, or print lines like "3 PD" and "1 R" ("0 PD" when there is no job), or JSON',
      facts: { output: body.slice(0, 300) },
    });
  }
  const tally: Record<string, number> = {};
  const unreadable: string[] = [];
  for (const [i, match] of found.entries()) {
    if (match) tally[match[2] ?? ''] = (tally[match[2] ?? ''] ?? 0) + Number(match[1]);
    else unreadable.push(`a line of get_status: ${oneLine(lines[i] ?? '').slice(0, 120)}`);
  }
  return { ...sums(tally), unreadable: [...unreadable, ...strangers(tally)] };
}

function fromVariables({ waitCount, runCount }: Called): Counts {
  const number = (name: string, text: string | undefined): number => {
    const plain = (text ?? '0').trim();
    if (/^\d{1,9}$/.test(plain)) return Number(plain);
    throw new BatchError(
      'garbled',
      `get_status set ${name} to ${JSON.stringify(plain.slice(0, 40))}, which is no number`,
    );
  };
  const tally: Record<string, number> = {};
  const waiting = number('WAIT_COUNT', waitCount);
  const running = number('RUN_COUNT', runCount);
  if (waiting > 0) tally.PD = waiting;
  if (running > 0) tally.R = running;
  return { ...sums(tally), unreadable: [] };
}

function sums(tally: Readonly<Record<string, number>>): Omit<Counts, 'unreadable'> {
  const shown: Record<string, number> = {};
  let [waiting, kept, running] = [0, 0, 0];
  for (const [code, n] of Object.entries(tally)) {
    if (ENDED.test(code) || n === 0) continue;
    shown[code] = n;
    if (WAITING.test(code)) waiting += n;
    else if (KEPT.test(code)) kept += n;
    else running += n;
  }
  return { kind: 'counts', tally: shown, waiting, kept, running };
}

function strangers(tally: Readonly<Record<string, number>>): string[] {
  const known = (code: string): boolean => [WAITING, KEPT, RUNNING, ENDED].some((pattern) => pattern.test(code));
  return Object.keys(tally)
    .filter((code) => !known(code))
    .map((code) => `state ${code} of get_status is not known: its jobs count as running`);
}

function readEntries(body: string, called: Called): Entries {
  const parsed = parse(body);
  const answer = answerShape.safeParse(parsed);
  if (!answer.success) {
    if (called.code !== 0)
      throw new BatchError('silent', `get_status ended with ${called.code}: ${lastLine(called.stderr)}`);
    throw new BatchError(
      'garbled',
      `the JSON of get_status cannot be used: ${oneLine(sayIssue(answer.error)).slice(0, 200)}`,
      {
        hint: 'it has the form {"jobs": [...], "nodes": [...]}; see the manual',
      },
    );
  }
  if ('error' in answer.data)
    throw new BatchError(answer.data.error.kind, `get_status: ${oneLine(answer.data.error.message)}`);
  if (called.code !== 0)
    throw new BatchError('silent', `get_status ended with ${called.code}: ${lastLine(called.stderr)}`);
  const broken: { line: string; text: string }[] = [];
  const take = <T>(list: readonly unknown[], shape: z.ZodType<T>, what: string): T[] =>
    list.flatMap((one) => {
      const entry = shape.safeParse(one);
      if (entry.success) return [entry.data];
      const text = JSON.stringify(one) ?? '';
      broken.push({ line: `${what} ${text.slice(0, 60)}: ${sayIssue(entry.error)}`, text });
      return [];
    });
  const jobs = take(answer.data.jobs, jobShape, 'job');
  const nodes = answer.data.nodes === undefined ? null : take(answer.data.nodes, nodeShape, 'node');
  return { kind: 'entries', jobs, nodes, broken };
}

function parse(body: string): unknown {
  try {
    const parsed: unknown = JSON.parse(body);
    const twice = keyTwice(body);
    if (twice !== null) throw new SyntaxError(`${twice} stands twice in one entry`);
    return parsed;
  } catch (error) {
    throw new BatchError(
      'garbled',
      `the JSON of get_status cannot be read: ${oneLine((error as Error).message).slice(0, 200)}`,
    );
  }
}

function sayIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'unknown' : `${issue.path.join('.') || 'it'}: ${issue.message}`;
}
