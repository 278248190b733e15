import { isProxyAt } from '../../src/cli/run/reach.ts';

/**
 * Whether a proxy of this machine listens at the default address, which `llmproxy run` uses if nothing else is
 * configured. Tests that expect it to start a proxy cannot run beside one.
 */
export const isUsualAddressTaken = await isProxyAt('http://127.0.0.1:8000');
