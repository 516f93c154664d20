/**
 * Seeds that once ended badly, kept with what was wrong, and replayed by the suite. A seed means a history only together
 * with the troubles of its time; what each one found has a test of its own, too.
 */
export const SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 4, found: 'a host taken out of hosts.json was dropped in the middle of a look, and the look failed' },
  { seed: 36, found: 'the same, at the step of another host' },
  { seed: 7, found: 'a call that ended on a full disk ended the whole service' },
  { seed: 40, found: 'after a lost database a second machine was made for one not listed yet' },
  { seed: 41, found: 'one answer that left a draining node out had its machine deleted under a job' },
  { seed: 84, found: 'a clock set back by a week: nothing that was begun before went on' },
  { seed: 159, found: 'the same, with an operator’s drain' },
  { seed: 215, found: 'a list that lacked a machine at its boot deadline had it forgotten' },
  { seed: 246, found: 'a list and a queue that both left a node out had its machine deleted under a job' },
];
