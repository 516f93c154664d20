/**
 * The command line: which commands there are, and their exit codes (0 ok, 1 failed, 2 wrong use or configuration).
 * Each command's code is loaded when it is called, so `poke` in a submit hook costs no more than it must.
 */
import { Argument, Command, CommanderError, Option } from 'commander';
import { ApiError } from '../service/client.ts';
import { DEFAULT_SOCKET, ELSEWHERE } from '../service/paths.ts';
import {
  flagsOf,
  json,
  labMode,
  labSite,
  number,
  renderFlags,
  setting,
  simulated,
  size,
  testWords,
} from './options.ts';
import { type Call, type CliParts, type Flags, RENDERED } from './parts.ts';
import { plain } from './render/text.ts';
import { simulateOptions } from './simulate-options.ts';

export type { Actions, CliParts, Flags, LabFlags, RenderFlags, RunFlags, TestFlags } from './parts.ts';

/** Narrower than this nothing can be read; the terminal breaks the lines then. */
const MIN_COLUMNS = 20;

/**
 * Runs one command.
 * @param argv the arguments after the program's name
 * @returns the exit code. Everything printed is written by then
 */
export async function cli(argv: readonly string[], parts: CliParts): Promise<number> {
  let code = 0;
  // Errors of writing reach us through each write; without a listener they would end the process as well.
  for (const stream of [parts.out, parts.err]) if (stream.listenerCount('error') === 0) stream.on('error', () => {});
  const program = commands(parts, (result) => {
    code = result;
  });
  try {
    if (argv.length === 0) {
      await write(parts.err, program.helpInformation());
      return 2;
    }
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      await Promise.allSettled([write(parts.out, ''), write(parts.err, '')]);
      return error.exitCode === 0 ? 0 : 2;
    }
    // `hybrid-cloud jobs | head`: the reader has what it wanted.
    if (['EPIPE', 'ERR_STREAM_DESTROYED'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0;
    if (!(error instanceof ApiError)) throw error;
    await write(parts.err, `${plain(sayApiError(error, argv))}\n`);
    if (error.kind !== 'refused') return 1;
    return error.status === 400 ? 2 : error.status === ELSEWHERE ? 3 : 1;
  }
}

type Run = (call: Call, ...args: string[]) => Promise<number>;

function commands(parts: CliParts, done: (code: number) => void): Command {
  const program = new Command('hybrid-cloud')
    .description('Adds cloud nodes to a batch system while jobs wait in its cloud queue, and takes them away again.')
    .version(parts.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .helpCommand('help [command]', 'explain a command')
    .option('--config-dir <dir>', 'folder of the configuration (default: /etc/hybrid-cloud)')
    .option('--socket <path>', `socket of the service (default: API_SOCKET or ${DEFAULT_SOCKET})`)
    .option('--set <key=value>', 'one setting, over all other sources; may be repeated', setting)
    .option('--no-color', 'no colours')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void parts.out.write(text),
      // Unknown words are repeated in the message: they come from outside, too.
      writeErr: (text) => void parts.err.write(text.split('\n').map(plain).join('\n')),
      getOutHelpWidth: () => helpWidth(parts),
      getErrHelpWidth: () => helpWidth(parts),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });

  /** A command that asks the service. */
  const ask = (name: string, about: string, load: () => Promise<Run>) =>
    program
      .command(name)
      .description(about)
      .option('--pool <name>', 'this pool alone (default: all)')
      .action(async (...args) => {
        const command = args.at(-1) as Command;
        const run = await load();
        done(await run(open(parts, command), ...command.args));
      });
  const reading = (name: string, about: string, load: () => Promise<Run>) => ask(name, about, load).addOption(json());
  /** A command that the program as a whole carries out. */
  const act = (name: string, about: string, run: (flags: Flags, command: Command) => Promise<number>) =>
    program
      .command(name)
      .description(about)
      .action(async (...args) => {
        const command = args.at(-1) as Command;
        done(await run(flagsOf(parts, command), command));
      });

  act('run', 'the service itself, in the foreground', (flags, command) =>
    parts.actions.run({ ...flags, standby: command.opts().standby === true }),
  ).option('--standby', 'wait while another head node is at work, and take over when it falls silent');
  act('check', 'look at configuration, batch system, cloud and ssh, and say what to do', (flags) =>
    parts.actions.check(flags),
  ).addOption(json());
  act('render', 'print the lines for another file that follow from hosts.json', (_flags, command) =>
    parts.actions.render(renderFlags(parts, command)),
  )
    .addArgument(new Argument('<what>', 'for vcp_config.yml, /etc/hosts or slurm.conf').choices(RENDERED))
    .option('--cpus <n>', 'slurm-conf: CPUs of one cloud machine', size)
    .option('--memory <MiB>', 'slurm-conf: memory of one cloud machine', size);
  reading('status', 'jobs, nodes, why anything waits, and what is wrong', async () => (await views()).status);
  reading('nodes', 'every host, its state and why', async () => (await views()).nodes);
  reading('jobs', 'every job of the queue and what becomes of it', async () => (await views()).jobs);
  reading('plan', 'what would be done now, and why; changes nothing', async () => (await views()).plan);
  reading('explain <name>', 'why a job waits, or why a host is as it is', async () => (await views()).explain);
  reading('events', 'what happened', async () => (await import('./commands/events.ts')).events)
    .option('-f, --follow', 'go on with what happens from now on')
    .option('-n <count>', 'how many of the last ones', number, 20);
  ask('hold <host>', 'keep a host: it is neither drained nor deleted', async () => (await orders()).hold);
  ask(
    'release [host]',
    'end a hold or a quarantine; without a host, end a pause of creation',
    async () => (await orders()).release,
  );
  ask(
    'drain <host>',
    'no new jobs for a host, and delete it when its last one has ended',
    async () => (await orders()).drain,
  );
  ask(
    'cleanup',
    'drain all nodes, and delete each when its last job has ended',
    async () => (await import('./commands/cleanup.ts')).cleanup,
  ).option('-y, --yes', 'do not ask');
  ask('poke', 'look now (for a submit hook of the batch system)', async () => (await orders()).poke);
  const replay = act(
    'simulate <log...>',
    'replay accounting logs: what each policy would have cost, and how long jobs would have waited',
    async (flags, command) =>
      (await import('./commands/simulate.ts')).simulate(parts, flags, command.opts(), command.args),
  );
  for (const option of simulateOptions()) replay.addOption(option);
  act('lab', 'a real cluster on this machine, with the service at work', (flags, command) =>
    parts.actions.lab({ ...flags, mode: labMode(command), ...labSite(command), simulated: simulated(command) }),
  )
    .addArgument(
      new Argument('[what]', 'up starts it and leaves it to you, down takes it away').choices(['up', 'down']),
    )
    .option('--simulated', 'without root: the real service with a simulated batch system, cloud and nodes')
    .option('--once', 'run the sample jobs to their end, print what happened, clean up')
    .addOption(
      new Option('--batch <name>', 'the batch system to try (default: slurm)').choices(['slurm', 'gridengine']),
    )
    .option('--vcp', 'nodes through the VCP SDK, from the image of images/slurm-compute: the whole specification')
    .addOption(json());
  act('test [what...]', 'run the tests this machine can run', (flags, command) =>
    parts.actions.test({ ...flags, what: testWords(command) }),
  )
    .option('--unit', 'only the quick ones, without a cluster')
    .option('--chaos <histories>', 'instead: so many histories of trouble in simulated time (10000 take half an hour)')
    .option('--fuzz <inputs>', 'instead: so many damaged inputs for everything that reads')
    .option('--races <jobs>', 'instead: so many races of submit and drain on a real Slurm (root)')
    .option('--months <months>', 'instead: so many simulated months of a busy site')
    .option('--seed <number>', 'with one of these: the first seed (default: 1)');
  reading('version', 'version of this program and of the running service', async () => (await views()).version);
  return program;
}

const views = () => import('./commands/views.ts');
const orders = () => import('./commands/orders.ts');

function open(parts: CliParts, command: Command): Call {
  const flags = flagsOf(parts, command);
  const socket = flags.socket ?? flags.set.API_SOCKET ?? parts.defaults.socket ?? DEFAULT_SOCKET;
  return {
    parts,
    flags,
    socket,
    client: parts.openClient(socket),
    options: command.opts(),
    screen: () => ({ columns: Math.max(MIN_COLUMNS, parts.columns), color: flags.color, now: parts.clock.now() }),
    print: (lines) => write(parts.out, lines.map((line) => `${line}\n`).join('')),
    complain: (text) => write(parts.err, `${plain(text)}\n`),
  };
}

function sayApiError(error: ApiError, argv: readonly string[]): string {
  const again = `sudo hybrid-cloud ${argv.join(' ')}`;
  return error.kind === 'forbidden' ? error.message.replace('sudo hybrid-cloud …', () => again) : error.message;
}

/** No help text wider than a page, also on a wide terminal. */
function helpWidth(parts: CliParts): number {
  return Math.min(100, Math.max(MIN_COLUMNS, parts.columns));
}

function write(to: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
