/** `plan` and `explain`: sentences. Hosts and jobs with the same fate share one. */
import type { ExplainView, PlanView } from '../../controller/view.ts';
import type { Step, Verdict } from '../../domain/plan.ts';
import { list } from '../../domain/words.ts';
import { VERDICTS } from './jobs.ts';
import { paint, type Screen, type Style } from './screen.ts';
import { plain, wrap } from './text.ts';

/** Names in one sentence; beyond, `and 93 more`: a queue may hold thousands of jobs with one fate. */
const MOST_NAMES = 12;

export function renderPlan(view: PlanView, screen: Screen): string[] {
  const steps = grouped(view.steps, (step) => `${step.kind}\n${step.because}`).map((group) => stepLines(group, screen));
  const verdicts = grouped(view.verdicts, (one) => `${one.kind}\n${one.because}`).map((group) =>
    jobLines(group, screen),
  );
  const warnings = view.warnings.map((text) => sentence('warning', 'yellow', text, screen));
  return [sentence('', undefined, view.summary, screen), steps.flat(), verdicts.flat(), warnings.flat()]
    .filter((part) => part.length > 0)
    .flatMap((part, at) => (at === 0 ? part : ['', ...part]));
}

export function renderExplain(view: ExplainView, screen: Screen): string[] {
  return wrap(plain(view.text), screen.columns);
}

const STEP_STYLE: Readonly<Partial<Record<Step['kind'], Style>>> = {
  create: 'green',
  join: 'green',
  undrain: 'green',
  drain: 'yellow',
  delete: 'yellow',
  quarantine: 'red',
  wait: 'dim',
};

/** `create c4, c5: 2 jobs wait...` */
function stepLines(group: readonly Step[], screen: Screen): string[] {
  const kind = group[0]?.kind ?? 'wait';
  const hosts = group.flatMap((step) => (step.host === null ? [] : [step.host]));
  const head = hosts.length === 0 ? '' : ` ${list(hosts, MOST_NAMES)}`;
  return sentence(kind, STEP_STYLE[kind], `${head}: ${group[0]?.because ?? ''}`, screen);
}

/** `jobs 19 and 20: blocked: ...` */
function jobLines(group: readonly Verdict[], screen: Screen): string[] {
  const first = group[0];
  if (first === undefined) return [];
  const jobs = group.map((verdict) => verdict.job);
  const hosts = [...new Set(group.flatMap((verdict) => verdict.hosts))];
  const where = hosts.length === 0 ? '' : ` (${list(hosts, MOST_NAMES)})`;
  const fate = `${VERDICTS[first.kind].text}${where}`;
  const tail = first.because === '' ? '' : `: ${first.because}`;
  const lead = jobs.length === 1 ? 'job' : 'jobs';
  return sentence(lead, 'bold', ` ${list(jobs, MOST_NAMES)}: ${fate}${tail}`, screen);
}

/** Wrapped, following lines indented; the first word painted. */
function sentence(lead: string, style: Style | undefined, text: string, screen: Screen): string[] {
  const whole = plain(`${lead}${lead === '' || /^[ :]/.test(text) ? '' : ': '}${text}`);
  const [first = '', ...rest] = wrap(whole, screen.columns);
  const indent = lead === '' ? '' : '  ';
  const more = rest.length === 0 ? [] : wrap(rest.join(' '), screen.columns - indent.length);
  return [
    paint(screen, style, first.slice(0, lead.length)) + first.slice(lead.length),
    ...more.map((line) => indent + line),
  ];
}

function grouped<T>(all: readonly T[], key: (one: T) => string): T[][] {
  return [...Map.groupBy(all, key).values()];
}
