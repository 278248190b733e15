import type { ProvidersAnswer } from '../../web/api.ts';
import type { ServerContext } from '../context.ts';
import { summarize } from '../../pipeline/targets/status.ts';

/** The content of /providers for the page. */
export async function providers(context: ServerContext): Promise<ProvidersAnswer> {
  const seen = (await context.fleet?.status()) ?? { providers: context.providers(), log: context.log() };
  const { status } = summarize(seen.providers);
  return {
    status,
    providers: seen.providers,
    log: seen.log,
    ...('workers' in seen ? { workers: seen.workers } : {}),
  };
}
