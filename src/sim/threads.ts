/**
 * Runs the cases of a question on several processor cores: each thread gets the question once and one case after the
 * other. Every case is on its own, so the result does not depend on which thread runs it, or when.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Case, type CaseResult, type Question, type RunCase, runCase } from './simulate.ts';

export interface Threads extends AsyncDisposable {
  readonly run: RunCase;
}

type Told = { readonly part: number } | { readonly result: Omit<CaseResult, 'added'> } | { readonly error: string };

/** @param count at least 1 */
export function startThreads(question: Question, count: number, signal?: AbortSignal): Threads {
  const idle: Worker[] = [];
  const all: Worker[] = [];
  const queue: ((worker: Worker) => void)[] = [];
  let stopped = false;
  const worker = () =>
    new Promise<Worker>((resolve) => {
      const free = idle.pop();
      if (free !== undefined) return resolve(free);
      if (all.length >= count) return void queue.push(resolve);
      const made = new Worker(new URL(import.meta.url), { workerData: { question } });
      // One listener for each case comes and goes; a thread that is told to stop is no error.
      made.setMaxListeners(0);
      all.push(made);
      resolve(made);
    });
  const giveBack = (free: Worker) => {
    const next = queue.shift();
    if (next === undefined) idle.push(free);
    else next(free);
  };

  return {
    async run(one, onProgress) {
      signal?.throwIfAborted();
      const mine = await worker();
      const cleanup: (() => void)[] = [];
      try {
        signal?.throwIfAborted();
        return await new Promise((resolve, reject) => {
          const told = (message: Told) => {
            if ('part' in message) onProgress(message.part);
            else if ('result' in message) resolve(message.result);
            else reject(new Error(message.error));
          };
          const failed = (error: unknown) => reject(error);
          const exited = () => {
            if (!stopped) reject(new Error('a thread of the simulation ended'));
          };
          const aborted = () => reject(signal?.reason);
          mine.on('message', told).on('error', failed).on('exit', exited);
          signal?.addEventListener('abort', aborted, { once: true });
          cleanup.push(() => {
            mine.off('message', told).off('error', failed).off('exit', exited);
            signal?.removeEventListener('abort', aborted);
          });
          mine.postMessage(one);
        });
      } finally {
        for (const undo of cleanup) undo();
        giveBack(mine);
      }
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      await Promise.all(all.map((one) => one.terminate()));
    },
  };
}

if (!isMainThread && parentPort !== null && (workerData as { question?: Question } | null)?.question !== undefined) {
  const { question } = workerData as { question: Question };
  const port = parentPort;
  const tell = (message: Told) => port.postMessage(message);
  port.on('message', (one: Case) => {
    runCase(question, one, (part) => tell({ part })).then(
      (result) => tell({ result }),
      (error: unknown) => tell({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
}
