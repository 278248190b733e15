import type { Config } from '../config/schema.ts';
import { claimState } from '../limits/shared-keeper.ts';
import { keepsState } from '../spending.ts';

/** The state directory that workers share, taken by their parent as soon as there is something to keep. */
export class ClaimedState {
  #release: (() => void) | undefined;

  /** @throws Error where it cannot be had */
  claimFor(config: Config): void {
    if (this.#release || !keepsState(config)) return;
    const { directory } = config.state;
    try {
      this.#release = claimState(directory);
    } catch (thrown) {
      const state = thrown instanceof Error ? thrown.message : String(thrown);
      throw new Error(`Cannot keep what is used in ${directory} (state.directory): ${state}`, {
        cause: thrown,
      });
    }
  }

  release(): void {
    this.#release?.();
  }
}
