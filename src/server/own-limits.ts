import type { ServerBindings, ServerContext } from './context.ts';
import { IDLE_SECONDS } from './listen.ts';

/** Longer requests may be silent for longer than Bun allows, milliseconds: well below {@link IDLE_SECONDS}. */
const LONG_MS = 20_000;

/**
 * The proxy's own timers decide: Bun's timeout would cut a silent stream. It is only lifted for requests that take
 * long. Afterwards it is restored, since nothing else closes idle connections, or ones whose client reads nothing.
 * @returns a function to call afterwards
 */
export function ownLimits(
  { clock }: ServerContext,
  request: Request,
  server: ServerBindings['server'],
): () => void {
  let lifted = false;
  const cancel = clock.after(LONG_MS, () => {
    lifted = true;
    server?.timeout(request, 0);
  });
  return () => {
    cancel();
    if (lifted) server?.timeout(request, IDLE_SECONDS);
  };
}
