/**
 * A site in this process: a cloud and a batch system that the real service reaches as it reaches real ones, through
 * programs (`CLOUD=command`, `BATCH_SYSTEM=script` with JSON). The programs are a few lines of bash that ask this process
 * over loopback, so that every call can be made to go wrong, and so that the truth is here at every moment.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

export interface SiteMachine {
  readonly id: string;
  hostname: string;
  readonly ip: string;
  readonly lease: string;
  readonly madeAt: number;
  state: 'starting' | 'running' | 'stopping' | 'failed';
  /** Its daemon registers when it runs. */
  registers: boolean;
  readonly ours: boolean;
}

export interface SiteJob {
  readonly id: number;
  readonly ms: number;
  host: string | null;
  endsAt: number;
}

interface SiteNode {
  closed: boolean;
  reason: string;
  registration: string | null;
}

/** What goes wrong with the next call of a kind. `before` and `after` are called round the work itself. */
export interface SiteFault {
  readonly what: string;
  readonly before?: () => Promise<void> | void;
  readonly after?: () => Promise<void> | void;
  /** No work, this answer. */
  readonly instead?: { readonly code: number; readonly text: string };
  /** Does its work and answers so. */
  readonly answer?: (text: string) => string;
  /** The work is done; no answer ever comes. */
  readonly hang?: boolean;
  readonly lost?: boolean;
}

export interface Site extends AsyncDisposable {
  readonly machines: Map<string, SiteMachine>;
  readonly jobs: Map<number, SiteJob>;
  readonly faults: Map<string, SiteFault[]>;
  readonly violations: string[];
  readonly counts: { made: number; ran: number; calls: number };
  /** ms until a machine runs. */
  bootTime: number;
  /** How the next machines turn out. */
  readonly next: ('never boots' | 'never registers' | 'fails' | 'renamed')[];
  submit(ms: number): void;
  stranger(ip: string): string;
  /** Time passes: machines boot, daemons register, jobs start and end. */
  tick(): void;
  readonly cloudProgram: string;
  readonly batchScript: string;
}

const CALLS = ['list', 'create', 'delete', 'status', 'join', 'leave'] as const;
export type SiteCall = (typeof CALLS)[number];

export async function makeSite(folder: string, hosts: readonly { name: string; ip: string }[]): Promise<Site> {
  const machines = new Map<string, SiteMachine>();
  const jobs = new Map<number, SiteJob>();
  const nodes = new Map<string, SiteNode>(
    hosts.map(({ name }) => [name, { closed: false, reason: '', registration: null }]),
  );
  const faults = new Map<string, SiteFault[]>(CALLS.map((call) => [call, []]));
  const violations: string[] = [];
  const counts = { made: 0, ran: 0, calls: 0 };
  const next: Site['next'] = [];
  const open = new Set<Socket>();
  let [ids, jobIds, lives] = [0, 0, 0];

  const site: Site = {
    ...{ machines, jobs, faults, violations, counts, next, bootTime: 300 },
    cloudProgram: join(folder, 'cloud'),
    batchScript: join(folder, 'functions.sh'),
    submit(ms) {
      jobs.set(++jobIds, { id: jobIds, ms, host: null, endsAt: 0 });
    },
    stranger(ip) {
      const id = `vm-${++ids}`;
      machines.set(id, {
        ...{
          id,
          hostname: 'foreign',
          ip,
          lease: '',
          madeAt: Date.now(),
          state: 'running',
          registers: false,
          ours: false,
        },
      });
      return id;
    },
    tick() {
      const now = Date.now();
      for (const machine of machines.values()) {
        if (machine.state === 'starting' && now - machine.madeAt > site.bootTime) machine.state = 'running';
        const node = nodes.get(machine.hostname);
        if (machine.state === 'running' && machine.registers && node?.registration === null)
          node.registration = `life ${++lives}`;
      }
      for (const [name, node] of nodes) if (!up(name)) node.registration = null;
      for (const job of jobs.values()) {
        if (job.host !== null && now > job.endsAt) {
          jobs.delete(job.id);
          counts.ran++;
        }
      }
      for (const job of jobs.values()) {
        if (job.host !== null) continue;
        const free = [...nodes].find(([name, node]) => !node.closed && node.registration !== null && !busy(name));
        if (free !== undefined) Object.assign(job, { host: free[0], endsAt: now + job.ms });
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const up = (name: string) =>
    [...machines.values()].some((one) => one.hostname === name && one.state === 'running' && one.registers);
  const busy = (name: string) => [...jobs.values()].some((job) => job.host === name);

  const work: Record<SiteCall, (words: readonly string[]) => object> = {
    list: () => ({
      machines: [...machines.values()].map(({ id, hostname, ip, state, lease }) => ({
        id,
        hostname,
        ip,
        state,
        lease,
      })),
    }),
    create([text = '']) {
      const asked = JSON.parse(text) as { hosts: { hostname: string; ip: string; lease: string }[] };
      return {
        results: asked.hosts.map(({ hostname, ip, lease }) => {
          const same = [...machines.values()].find((one) => one.lease === lease);
          if (same !== undefined) return { hostname, id: same.id };
          const other = [...machines.values()].find((one) => one.ip === ip);
          if (other !== undefined) {
            if (other.ours && other.state !== 'stopping' && other.hostname === hostname)
              violations.push(`a second machine was asked for ${hostname}, which has ${other.id}`);
            return { hostname, error: { kind: 'ip-in-use', message: `${ip} is in use by ${other.id}` } };
          }
          const id = `vm-${++ids}`;
          counts.made++;
          const turns = next.shift();
          machines.set(id, {
            ...{ id, ip, lease, ours: true, hostname: turns === 'renamed' ? 'localhost' : hostname },
            ...{ madeAt: turns === 'never boots' ? Number.POSITIVE_INFINITY : Date.now() },
            state: turns === 'fails' ? 'failed' : 'starting',
            registers: turns !== 'never registers',
          });
          return { hostname, id };
        }),
      };
    },
    delete([text = '']) {
      const asked = JSON.parse(text) as { machines: { id: string }[] };
      return {
        results: asked.machines.map(({ id }) => {
          const machine = machines.get(id);
          if (machine === undefined) return { id };
          const running = [...jobs.values()].filter((job) => job.host === machine.hostname);
          if (running.length > 0 && up(machine.hostname))
            violations.push(`${id} (${machine.hostname}) was deleted under job ${running.map((job) => job.id)}`);
          if (!machine.ours) violations.push(`${id} on ${machine.ip} was deleted and is not ours`);
          machines.delete(id);
          for (const job of running) job.host = null;
          return { id };
        }),
      };
    },
    status: () => ({
      jobs: [...jobs.values()].map(({ id, host }) =>
        host === null ? { id, state: 'waiting' } : { id, state: 'running', hosts: [host] },
      ),
      nodes: [...nodes].map(([host, node]) => {
        const registered = node.registration !== null;
        const state = registered ? (node.closed ? 'drained' : 'idle') : 'down';
        const works = registered && busy(host);
        return {
          ...{ host, state: works ? (node.closed ? 'draining' : 'busy') : state, registration: node.registration },
          ...{ closed: !node.closed ? 'no' : node.reason.startsWith('hybrid-cloud:') ? 'ours' : 'theirs' },
          ...{ reason: node.reason, cpus: 1 },
        };
      }),
    }),
    join([host = '']) {
      const node = nodes.get(host);
      if (node !== undefined && node.registration !== null) Object.assign(node, { closed: false, reason: '' });
      return {};
    },
    leave([host = '', reason = '']) {
      const node = nodes.get(host);
      if (node !== undefined) Object.assign(node, { closed: true, reason });
      return {};
    },
  };

  async function answer(line: string): Promise<string | null> {
    const [call = '', ...words] = line.split('\t');
    const fault = faults.get(call)?.shift();
    counts.calls++;
    site.tick();
    await fault?.before?.();
    if (fault?.instead !== undefined) return `${fault.instead.code}\n${fault.instead.text}`;
    const text = `${JSON.stringify(work[call as SiteCall](words))}\n`;
    site.tick();
    await fault?.after?.();
    if (fault?.hang === true || fault?.lost === true) return null;
    return `0\n${fault?.answer?.(text) ?? text}`;
  }

  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
    let read = '';
    let asked = false;
    socket.on('data', (part) => {
      read += String(part);
      if (asked || !read.includes('\n')) return;
      asked = true;
      const line = read.slice(0, read.indexOf('\n'));
      const hangs = faults.get(line.split('\t')[0] ?? '')?.[0]?.hang === true;
      void answer(line).then((text) => {
        if (text !== null) socket.end(text);
        else if (!hangs) socket.destroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const ask = `ask() {
  local IFS=$'\\t' code
  exec 3<>/dev/tcp/127.0.0.1/${port} || return 1
  printf '%s\\n' "$*" >&3
  read -r code <&3 || return 9
  cat <&3
  exec 3>&-
  return "$code"
}`;
  writeFileSync(site.cloudProgram, `#!/bin/bash\n${ask}\nread -r line\nask "$1" "$line"\n`);
  chmodSync(site.cloudProgram, 0o755);
  writeFileSync(
    site.batchScript,
    `${ask}
get_status() { ask status; }
join_cluster() { ask join "$1" >/dev/null; }
leave_cluster() { ask leave "$1" "$2" >/dev/null; }
check_version() { echo "stand-in 1"; }
`,
  );
  return site;
}
