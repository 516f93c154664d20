/**
 * One process at a time, for stand-ins whose state is a file: two commands at once would each read, and the second to
 * write would undo what the first did.
 */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';

/** ms */
const NAP = 3;
const LIMIT = 15_000;

/**
 * Runs `body` while `file` exists with our process id in it. What a killed process left behind counts for nothing.
 * @throws Error when another one keeps it for 15 s
 */
export function locked<T>(file: string, body: () => T): T {
  const nap = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + LIMIT;
  while (!taken(file)) {
    if (performance.now() > end) throw new Error(`${file} is kept by process ${holder(file)}`);
    Atomics.wait(nap, 0, 0, NAP);
  }
  try {
    return body();
  } finally {
    unlinkSync(file);
  }
}

function taken(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const pid = holder(file);
  // Empty: it is being written this moment.
  if (pid === 0 || lives(pid)) return false;
  try {
    unlinkSync(file);
  } catch {
    // Another one was quicker.
  }
  return false;
}

function holder(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
