/**
 * A small cloud in a folder, as a program for CLOUD=command: `file-cloud.ts FOLDER list|create|delete`.
 * Machines are kept in FOLDER/machines.json; FOLDER/faults.json (optional) says what goes wrong.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { locked } from './locked.ts';

export interface FileFaults {
  /** Calls that never answer. */
  readonly hang?: readonly string[];
  /** Calls that fail as a whole, with this kind. */
  readonly fail?: Readonly<Record<string, string>>;
  /** Hosts that cannot be created, with this kind. */
  readonly refuse?: Readonly<Record<string, string>>;
  /** Addresses somebody else holds. */
  readonly occupied?: readonly string[];
  /** Calls whose answer is lost after the work: the program kills itself. Each counts once. */
  readonly lose?: readonly string[];
}

interface FileMachine {
  readonly id: string;
  readonly hostname: string;
  readonly ip: string;
  readonly state: string;
  readonly lease: string;
  readonly since: string;
}

interface Request {
  readonly hosts?: readonly { hostname: string; ip: string; lease: string }[];
  readonly machines?: readonly { id: string }[];
}

type Result = { hostname?: string; id?: string; error?: { kind: string; message: string } };

if (import.meta.main) await main(process.argv[2] ?? '', process.argv[3] ?? '');

async function main(folder: string, verb: string): Promise<void> {
  const faults = read<FileFaults>(`${folder}/faults.json`, {});
  if (faults.hang?.includes(verb)) setInterval(() => {}, 1000);
  else {
    const kind = faults.fail?.[verb];
    if (kind !== undefined) {
      process.exitCode = 1;
      print({ error: { kind, message: `${verb} fails because the test wants it` } });
    } else {
      const request = JSON.parse(await text(process.stdin)) as Request;
      const answer = locked(`${folder}/lock`, () => work(folder, verb, request, faults));
      if (faults.lose?.includes(verb) && once(`${folder}/lost-${verb}`)) process.kill(process.pid, 'SIGKILL');
      else print(answer);
    }
  }
}

function work(folder: string, verb: string, request: Request, faults: FileFaults): object {
  const file = `${folder}/machines.json`;
  let machines = read<FileMachine[]>(file, []);
  if (verb === 'list') return { machines };
  const results: Result[] = [];
  for (const { hostname, ip, lease } of request.hosts ?? []) {
    const before = machines.find((machine) => machine.lease === lease);
    const kind = faults.refuse?.[hostname];
    const used = faults.occupied?.includes(ip) || machines.some((machine) => machine.ip === ip);
    if (before) results.push({ hostname, id: before.id });
    else if (kind !== undefined) results.push({ hostname, error: { kind, message: `${hostname} is refused` } });
    else if (used) results.push({ hostname, error: { kind: 'ip-in-use', message: `${ip} is in use` } });
    else {
      const id = `file-${lease}`;
      machines.push({ id, hostname, ip, state: 'running', lease, since: new Date().toISOString() });
      results.push({ hostname, id });
    }
  }
  for (const { id } of request.machines ?? []) {
    machines = machines.filter((machine) => machine.id !== id);
    results.push({ id });
  }
  writeFileSync(`${file}.new`, JSON.stringify(machines));
  renameSync(`${file}.new`, file);
  return { results };
}

function once(mark: string): boolean {
  if (existsSync(mark)) return false;
  writeFileSync(mark, '');
  return true;
}

function read<T>(file: string, otherwise: T): T {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : otherwise;
}

function print(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
