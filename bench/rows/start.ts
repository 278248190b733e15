import { privateMb, residentMb } from '../memory.ts';
import type { Row } from '../row.ts';
import { BARE_WHOLE } from '../subjects.ts';

const IDLE_MS = 1_000;

/** Comes first, since it measures a process that has done nothing yet. */
export const start: Row = {
  name: 'start',
  measures: [
    { name: 'start', title: 'Start to listening', unit: 'ms', base: BARE_WHOLE, quoted: true },
    { name: 'idle', title: 'Idle memory, RSS', unit: 'MB', base: BARE_WHOLE, quoted: true },
    { name: 'idle_private', title: 'Idle memory, private', unit: 'MB', base: BARE_WHOLE },
  ],
  applies: () => true,
  async sample({ instance }) {
    await Bun.sleep(IDLE_MS);
    return {
      start: instance.startMs,
      idle: residentMb(instance.pid),
      idle_private: privateMb(instance.pid),
    };
  },
};
