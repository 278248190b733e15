import type { ServerBindings, ServerContext } from './context.ts';
import { IDLE_SECONDS } from './listen.ts';

/** What takes longer may be quiet for longer than Bun allows, milliseconds: well below {@link IDLE_SECONDS}. */
const LONG_MS = 20_000;

/**
 * The proxy's own timers decide: Bun's would cut a quiet stream. It is told so only of requests that take long. Afterwards
 * the limit is Bun's again, as nobody else closes a connection that lies idle, or whose client reads nothing.
 * @returns what to do afterwards
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
