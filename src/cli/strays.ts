import type { Plugins } from '../plugins/loaded.ts';
import type { ProgramLog } from './log.ts';
import { described } from '../plugins/place.ts';

/**
 * Keeps the program running when code of a plugin throws where nobody can catch it: in a timer, or in a promise that is not
 * waited for. What is not known to be a plugin's is told with its stack. Without plugins such an error is a defect of this
 * program, which ends by it.
 * @param current the plugins that are loaded
 */
export function surviveStrays(current: () => Plugins, log: ProgramLog): void {
  const caught = (thrown: unknown): void => {
    const plugins = current();
    const owner = plugins.ownerOf(thrown);
    if (owner) {
      log.error(`Plugin ${owner.name}: an error that its code does not catch: ${described(thrown)}`);
      return;
    }
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : described(thrown);
    if (plugins.all.length === 0) {
      // As if nobody had listened; what setImmediate throws would not end the program in Bun 1.4.5.
      process.off('uncaughtException', caught);
      process.off('unhandledRejection', caught);
      setTimeout(() => {
        throw thrown;
      });
      return;
    }
    log.error(`An error that nothing catches, of a plugin or of this program: ${stack}`);
  };
  process.on('uncaughtException', caught);
  process.on('unhandledRejection', caught);
}
