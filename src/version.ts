import { version } from '../package.json';

/** Stamped in by the build; running from source has neither. */
declare const LLMPROXY_VERSION: string;
declare const LLMPROXY_COMMIT: string;

export const VERSION = typeof LLMPROXY_VERSION === 'string' ? LLMPROXY_VERSION : version;
export const COMMIT = typeof LLMPROXY_COMMIT === 'string' ? LLMPROXY_COMMIT : 'source';

/** "llmproxy 0.1.0 (abc1234, bun 1.4.5, linux x64)" */
export function versionLine(): string {
  return `llmproxy ${VERSION} (${COMMIT}, bun ${Bun.version}, ${process.platform} ${process.arch})`;
}
