/** Reading what was typed: flags, and the values of options. A mistake ends the command with 2. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type CliParts, type Flags, type LabFlags, RENDERED, type RenderFlags } from './parts.ts';

/** `--json` of the reading commands. */
export const json = () => new Option('--json', 'print JSON');

/** The flags every command understands, typed before or behind its name. */
export function flagsOf(parts: CliParts, command: Command): Flags {
  const given = command.optsWithGlobals();
  return {
    configDir: given.configDir,
    socket: given.socket,
    set: given.set ?? {},
    json: given.json === true,
    color: parts.color && given.color !== false,
  };
}

/** `--set KEY=VALUE`: adds one to those before it. @throws InvalidArgumentError */
export function setting(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, key, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('KEY=VALUE is expected.');
  return { ...before, [key.toUpperCase()]: value };
}

/** A count from 1 to 1000, what the API gives at one time. @throws InvalidArgumentError */
export function number(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n < 1 || n > 1000) throw new InvalidArgumentError('A number from 1 to 1000 is expected.');
  return n;
}

/** What the lab is made of. Ends the command with 2 when `--vcp` meets a batch system whose nodes have no image. */
export function labSite(command: Command): Pick<LabFlags, 'batch' | 'vcp'> {
  const { batch, vcp } = command.opts();
  if (vcp === true && batch !== undefined && batch !== 'slurm') {
    command.error(`error: --vcp does not go together with --batch ${batch}: its nodes are made for Slurm`);
  }
  return { batch, vcp: vcp === true };
}

/** A whole number from 1 up: CPUs, MiB. @throws InvalidArgumentError */
export function size(text: string): number {
  const n = Number(text);
  if (!/^\d{1,9}$/.test(text) || n < 1) throw new InvalidArgumentError('A whole number from 1 up is expected.');
  return n;
}

/** How `render` was called. Ends the command with 2 when a size is given for what has none. */
export function renderFlags(parts: CliParts, command: Command): RenderFlags {
  const { cpus, memory } = command.opts();
  const what = RENDERED.find((one) => one === command.args[0]) ?? command.error('error: nothing of this name');
  if (what !== 'slurm-conf' && (cpus ?? memory) !== undefined) {
    command.error(`error: --cpus and --memory go together with 'render slurm-conf' only`);
  }
  return { ...flagsOf(parts, command), what, cpus, memory };
}

/** `lab --simulated`. Ends the command with 2 when it meets what needs a real cluster. */
export function simulated(command: Command): boolean {
  const { simulated, batch, vcp } = command.opts();
  if (simulated !== true) return false;
  const [what] = command.args;
  const flag = vcp === true ? '--vcp' : batch === undefined ? null : '--batch';
  const other = what === undefined ? flag : `'lab ${what}'`;
  return other === null ? true : command.error(`error: --simulated does not go together with ${other}`);
}

/** How `lab` was called. Ends the command with 2 when `--once` meets `up` or `down`. */
export function labMode(command: Command): LabFlags['mode'] {
  const [what] = command.args;
  const once = command.opts().once === true;
  if (what !== 'up' && what !== 'down') return once ? 'once' : 'live';
  return once ? command.error(`error: --once does not go together with 'lab ${what}'`) : what;
}

/** The words for the test runner: filters, or one long form and its seed. */
export function testWords(command: Command): string[] {
  const { unit, seed, ...rest } = command.opts() as { readonly [key: string]: string | true | undefined };
  const forms = ['chaos', 'fuzz', 'races', 'months'].flatMap((name) =>
    typeof rest[name] === 'string' ? [`--${name}`, rest[name]] : [],
  );
  const words = [...command.args, ...(unit === true ? ['--unit'] : []), ...forms];
  return typeof seed === 'string' ? [...words, '--seed', seed] : words;
}
