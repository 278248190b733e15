import type { Plugins } from '../plugins/loaded.ts';
import type { ProgramLog } from './log.ts';
import { described } from '../plugins/place.ts';

/**
 * Keeps the program running when the code of a plugin throws where it cannot be caught: in a timer, or in a promise
 * that is not awaited. An error that is not known to be a plugin's is reported with its stack. Without plugins such an
 * error is a defect of this program and ends it.
 * @param current the loaded plugins
 */
export function handleUncaughtErrors(current: () => Plugins, log: ProgramLog): void {
  const caught = (thrown: unknown): void => {
    const plugins = current();
    const owner = plugins.ownerOf(thrown);
    if (owner) {
      log.error(`Plugin ${owner.name}: uncaught error: ${described(thrown)}`);
      return;
    }
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : described(thrown);
    if (plugins.all.length === 0) {
      // As without a listener; an error thrown by setImmediate would not end the program in Bun 1.4.5.
      process.off('uncaughtException', caught);
      process.off('unhandledRejection', caught);
      setTimeout(() => {
        throw thrown;
      });
      return;
    }
    log.error(`Uncaught error of a plugin or of this program: ${stack}`);
  };
  process.on('uncaughtException', caught);
  process.on('unhandledRejection', caught);
}
