/**
 * Tells once that most of a budget is used, once that it is used up, and once that nodes may be created again. What was
 * told is on disk: a restart does not tell it again.
 */
import type { Snapshot } from '../domain/snapshot.ts';
import { amount, span } from '../domain/words.ts';
import { budgetLines } from '../planner/budget.ts';
import type { Store } from '../store/store.ts';
import type { Recorder } from './record.ts';
import { budgets } from './spending.ts';

type State = 'warned' | 'used up';

const NOTE = 'budgets told';

export function tellBudgets(store: Store, recorder: Pick<Recorder, 'tell'>, s: Snapshot): void {
  const text = store.note(NOTE);
  const told = text === null ? {} : (JSON.parse(text) as Record<string, State>);
  const now: Record<string, State> = {};
  const open = new Set<string>();
  for (const { cloud, budget, usage } of budgets(s)) {
    const whose = cloud === '' ? '' : ` of ${cloud}`;
    for (const line of budgetLines(budget, usage)) {
      const what = `${amount(line.limit)} ${line.what}${whose}`;
      // The period is part of the name, so that a new one begins with nothing told.
      const key = `${cloud}|${line.key}|${line.endsAt}`;
      if (line.used >= line.limit) {
        now[key] = 'used up';
        if (told[key] !== 'used up') {
          recorder.tell(
            'warn',
            null,
            `the budget of ${what} is used up (${amount(line.used)}): no new nodes for ${span(line.endsAt - s.at)}; nodes that work go on`,
          );
        }
      } else if (line.used >= line.limit * budget.warnAt) {
        now[key] = 'warned';
        const part = Math.floor((100 * line.used) / line.limit);
        if (told[key] === undefined)
          recorder.tell('warn', null, `${part} % of the budget of ${what} is used (${amount(line.used)})`);
      }
      if (now[key] !== 'used up') open.add(`${cloud}|${line.key}`);
    }
  }
  for (const [key, state] of Object.entries(told)) {
    const [cloud = '', line = ''] = key.split('|');
    if (state !== 'used up' || now[key] === 'used up' || !open.has(`${cloud}|${line}`)) continue;
    const whose = cloud === '' ? '' : ` of ${cloud}`;
    recorder.tell('info', null, `the budget${whose} has room again: nodes may be created`);
  }
  const after = JSON.stringify(now);
  if (after !== (text ?? '{}')) store.setNote(NOTE, after);
}
