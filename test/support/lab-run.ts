/**
 * `./hybrid-cloud lab` as a process of its own, and what it left on the machine.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LAUNCHER = join(import.meta.dirname, '../../hybrid-cloud');

export interface LabRun {
  readonly pid: number;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

export function lab(name: string, net: string, port: number, ...args: string[]): LabRun {
  const child = spawn(LAUNCHER, ['lab', ...args], {
    env: { ...process.env, LAB_NAME: name, LAB_NET: net, LAB_PORT_BASE: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return { pid: child.pid ?? 0, out: () => out, err: () => err, ended, kill: (signal) => void child.kill(signal) };
}

/** Where buildah keeps the list of containers, one JSON text. */
const CONTAINERS = `${process.env.IMAGE_CACHE ?? '/var/tmp/hybrid-cloud-images'}/storage/overlay-containers/containers.json`;

/** What of this lab is on the machine: its folder, devices, mounts, containers, and processes that carry its mark. */
export function leftovers(name: string): string[] {
  const dir = `/var/tmp/hybrid-cloud-${name}`;
  const found: string[] = [];
  if (existsSync(dir)) found.push(dir);
  for (const device of readdirSync('/sys/class/net'))
    if (device.startsWith(`hc-${name}`)) found.push(`device ${device}`);
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(dir)) found.push('a mount');
  if (existsSync(CONTAINERS)) {
    const text = readFileSync(CONTAINERS, 'utf8');
    for (const [, container] of text.matchAll(/"(hybrid-cloud-\w+)-[\w-]+"/g))
      if (container === `hybrid-cloud-${name}`) found.push(`container of ${container}`);
  }
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HYBRID_CLOUD_LAB=${dir}\0`))
        found.push(`process ${pid}`);
    } catch {
      // it has ended meanwhile, or is a kernel thread
    }
  }
  return found;
}
