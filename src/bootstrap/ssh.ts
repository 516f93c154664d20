/**
 * BOOTSTRAP=ssh: logs in to the new machine, mounts the shared file system and proves that this is the machine we mean.
 * What runs there is `prepare.sh`, sent over standard input with its values quoted in front.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { PrepareError, type PrepareErrorKind } from '../domain/errors.ts';
import type { Host } from '../domain/host.ts';
import { span } from '../domain/words.ts';
import type { Clock } from '../lib/clock.ts';
import { randomId } from '../lib/ids.ts';
import type { Log } from '../lib/log.ts';
import type { OptionValues } from '../lib/option.ts';
import { type Run, sayRun } from '../lib/run.ts';
import { type KnockAt, knock, runScript, type SshAnswer } from '../lib/ssh.ts';
import type { Bootstrap } from './bootstrap.ts';
import { greetEvery, greeting } from './dead-man.ts';
import { makeHostKeys } from './host-keys.ts';
import { ownKey, sshFolder } from './key.ts';
import { judge, makeScript } from './script.ts';

export interface BootstrapParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly log: Log;
  readonly stateDir: string;
  /** How a TCP connection is tried; tests of the waiting hand in their own. */
  readonly knock?: KnockAt;
}

const Values = z.object({
  NFS_MOUNT_POINT: z.string(),
  NFS_LOCAL_DIR: z.string(),
  NFS_TYPE: z.string(),
  NFS_OPTIONS: z.string().optional(),
  SSH_USER: z.string(),
  SSH_PORT: z.number(),
  DEAD_MAN_TIME: z.number().nullish(),
});

/** A machine is asked for its ssh port this long: a new question each second finds a booting one sooner than one long wait. */
const KNOCK = 1_000;
/** The port counts as dead after this: a machine in the same network answers within a few ms. */
const ANSWERS = 300;
/** Pauses between tries: short at first, since every second of boot time is a second some job waits. */
const PAUSE = { first: 300, most: 3_000, grows: 1.5 };
/**
 * Pauses after a refused key. sshd from 9.8 on shuts an address out for at least 15 s once its penalties (5 s for each
 * refused login, 1 s for a knock) add up to 15 s: two quick tries, then no more than one penalty in its own time.
 */
const REFUSED = { first: 1_000, later: 5_000 };
/** While a machine boots, its key, its name or its sudo rule may come seconds after sshd: such a fault may last so long. */
const PATIENCE = 30_000;
/** One login with all the script's tries to mount (5 of 20 s with 1, 2, 4 and 8 s between), and some. */
const LOGIN = 150_000;

/** @param values the options of `ssh-options.ts` */
export function makeSshBootstrap(values: OptionValues, parts: BootstrapParts): Bootstrap {
  const settings = Values.parse(values);
  const { run, clock, log, stateDir } = parts;
  const knockAt = parts.knock ?? knock;
  const { SSH_PORT: port, SSH_USER: user } = settings;
  const mount = {
    source: settings.NFS_MOUNT_POINT,
    dir: settings.NFS_LOCAL_DIR,
    type: settings.NFS_TYPE,
    options: settings.NFS_OPTIONS ?? '',
  };
  const deadMan = settings.DEAD_MAN_TIME ?? null;
  const isNfs = /^nfs4?$/.test(mount.type);
  const hostKeys = makeHostKeys(join(sshFolder(stateDir), 'known_hosts.d'));
  let key: ReturnType<typeof ownKey> | null = null;

  function getKey() {
    key ??= ownKey(run, stateDir).catch((error: unknown) => {
      key = null;
      throw error;
    });
    return key;
  }

  /** One login with the script. */
  async function login(host: Host, script: string, signal: AbortSignal): Promise<SshAnswer> {
    const { file: keyFile } = await getKey();
    await using known = await hostKeys.login(host);
    const target = { address: host.ip, port, user, keyFile, knownHostsFile: known.file, alias: host.name };
    const answer = await runScript(run, target, script, LOGIN, signal);
    if (answer.kind === 'ran' && answer.result.code === 0) await known.keep();
    return answer;
  }

  async function prepare(host: Host, signal: AbortSignal): Promise<void> {
    const began = clock.monotonic();
    const mark = randomId('hc-');
    const script = makeScript(mark, host, mount, undefined, deadMan);
    let trouble = 'sshd has not answered yet';
    let doorOpen = false;
    let pause = PAUSE.first;
    let refusals = 0;
    let fault: PrepareErrorKind | null = null;
    /** Since when the same kind of fault is seen. Lost connections in between do not end it, a closed port does. */
    let faultSince = 0;
    while (!signal.aborted) {
      if (!doorOpen) {
        const door = await knockAt(host.ip, port, KNOCK, signal);
        doorOpen = door.kind === 'open';
        if (signal.aborted) break;
        trouble = doorOpen
          ? 'sshd answers, but the login does not end'
          : `sshd does not answer on port ${port}: ${door.text}`;
        if (!doorOpen) fault = null;
      }
      if (doorOpen) {
        const outcome = judge(await login(host, script, signal), mark);
        if (outcome.text !== '') trouble = outcome.text;
        if (outcome.kind === 'done') {
          log.debug(`${host.name} is prepared: ${outcome.text}`, { took: Math.round(clock.monotonic() - began) });
          return;
        }
        if (signal.aborted) break;
        doorOpen = outcome.kind !== 'wait';
        refusals = outcome.kind === 'refused' ? refusals + 1 : 0;
        if (outcome.kind !== 'wait') {
          if (outcome.kind !== fault) faultSince = clock.monotonic();
          fault = outcome.kind;
          if (!outcome.mayHeal || clock.monotonic() - faultSince >= PATIENCE) {
            const hint = await hintFor(outcome.kind, host);
            throw new PrepareError(outcome.kind, `${host.name} (${host.ip}): ${outcome.text}`, { hint });
          }
        }
      }
      await clock.sleep(refusals > 0 ? (refusals <= 2 ? REFUSED.first : REFUSED.later) : pause, signal);
      pause = Math.min(pause * PAUSE.grows, PAUSE.most);
    }
    const took = span(clock.monotonic() - began);
    throw new PrepareError('timeout', `${host.name} (${host.ip}) was not prepared within ${took}: ${trouble}`);
  }

  async function hintFor(kind: PrepareErrorKind, host: Host): Promise<string> {
    if (kind === 'refused')
      return `${(await getKey()).publicFile} must stand in authorized_keys of ${user} on the image`;
    if (kind === 'identity') return `look who answers on ${host.ip}: is it really the machine of ${host.name}?`;
    if (kind === 'mount' && isNfs) return `does the server of ${mount.source} export it to ${host.ip}?`;
    return '';
  }

  return {
    kind: 'ssh',

    async check(signal) {
      const { source } = mount;
      if (isNfs && !/^(\[.+\]|[^/:]+):\//.test(source)) {
        throw new PrepareError('command', `NFS_MOUNT_POINT=${source} is not server:/directory`);
      }
      const version = await run(['ssh', '-V'], { timeout: 10_000, signal });
      if (version.code !== 0) {
        throw new PrepareError('command', 'ssh does not run', { hint: 'install the package openssh-client' });
      }
      const { publicText } = await getKey();
      return `logs in as ${user}; the image needs this line in ${user}'s authorized_keys: ${publicText}`;
    },

    async prepare(host, signal) {
      try {
        await prepare(host, signal);
      } catch (error) {
        if (error instanceof PrepareError) throw error;
        const why = error instanceof Error ? error.message : String(error);
        throw new PrepareError('command', `${host.name} cannot be prepared: ${why}`, { cause: error });
      }
    },

    async answers(host, signal) {
      return (await knockAt(host.ip, port, ANSWERS, signal)).kind !== 'silent';
    },

    ...(deadMan === null
      ? {}
      : {
          greet: {
            every: greetEvery(deadMan),
            async hello(host: Host, signal: AbortSignal) {
              const answer = await login(host, greeting(), signal);
              if (answer.kind === 'ran' && answer.result.code === 0) return;
              const text = answer.kind === 'ran' ? sayRun(answer.result) : answer.text;
              throw new PrepareError('unreachable', `${host.name} (${host.ip}) heard no sign of life: ${text}`);
            },
          },
        }),

    async forget(host) {
      await hostKeys.forget(host).catch((cause: unknown) => {
        throw new PrepareError('command', `the host key of ${host.name} cannot be forgotten`, { cause });
      });
    },
  };
}
