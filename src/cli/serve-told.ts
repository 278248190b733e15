import type { Config } from '../config/schema.ts';
import type { ProxyDeps } from '../proxy.ts';
import type { ProgramLog } from './log.ts';
import { requestLog } from './lines/request-log.ts';

/**
 * What a proxy tells whoever runs it, as lines on stderr.
 * @param worker which of several workers tells, from 1
 */
export function told(
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
