import type { Config } from '../config/schema.ts';
import type { ProxyDeps } from '../proxy.ts';
import type { ProgramLog } from './log.ts';
import { requestLog } from './lines/request-log.ts';

/**
 * The messages of a proxy to its operator, as lines on stderr.
 * @param worker the number of this worker, from 1
 */
export function operatorMessages(
  { logging }: Config,
  log: ProgramLog,
  worker?: number,
): Pick<ProxyDeps, 'onProblem' | 'onEvent' | 'onRecord'> {
  const onRecord = requestLog(logging, worker);
  return {
    onProblem: log.trouble,
    ...(logging.level === 'silent' ? {} : { onEvent: log.event }),
    ...(onRecord ? { onRecord } : {}),
  };
}
