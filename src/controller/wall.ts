/**
 * What people see, in the wall's time: inside, the service counts in its own steady time, which a step of the wall
 * clock leaves behind.
 */
import type { BrakeView, Control, ReadingView, StatusView } from './view.ts';

/**
 * The same control with the times of its views moved, and with what only the service as a whole knows about itself.
 * @param offset what has to be added to the service's own time for the wall's, ms
 */
export function inWallTime(control: Control, offset: () => number, more: () => Partial<StatusView>): Control {
  const move = <T extends number | null>(at: T): T => (at === null ? at : ((at + offset()) as T));
  const reading = (view: ReadingView): ReadingView => ({
    ...view,
    lastGoodAt: move(view.lastGoodAt),
    failingSince: move(view.failingSince),
  });
  const brake = (view: BrakeView | null) => (view === null ? null : { ...view, until: move(view.until) });
  return {
    ...control,
    status() {
      const view = control.status();
      return {
        ...view,
        startedAt: move(view.startedAt),
        at: move(view.at),
        batch: reading(view.batch),
        cloud: reading(view.cloud),
        ...(view.clouds === undefined
          ? {}
          : {
              clouds: view.clouds.map((cloud) => ({
                ...cloud,
                reading: reading(cloud.reading),
                brake: brake(cloud.brake),
              })),
            }),
        ...(view.usage && {
          usage: { ...view.usage, dayEnds: move(view.usage.dayEnds), monthEnds: move(view.usage.monthEnds) },
        }),
        ...(view.budget && { budget: view.budget.map((one) => ({ ...one, endsAt: move(one.endsAt) })) }),
        brake: brake(view.brake),
        nextLookAt: move(view.nextLookAt),
        ...more(),
      };
    },
    nodes: () =>
      control.nodes().map((node) => ({
        ...node,
        since: move(node.since),
        idleSince: move(node.idleSince),
        deadlineAt: move(node.deadlineAt),
        retryAt: move(node.retryAt),
      })),
    async plan() {
      const view = await control.plan();
      const steps = view.steps.map((step) => (step.until === undefined ? step : { ...step, until: move(step.until) }));
      return { ...view, at: move(view.at), steps };
    },
  };
}
