import type { State } from '../api.ts';

/** The state of a provider, in a word and a colour. */
export function StateWord({ state }: { state: State }) {
  return (
    <span class={`state ${state}`}>
      <i aria-hidden="true" />
      {state}
    </span>
  );
}
