/**
 * Variables by which the environment of the person who runs the tests would change them: an HTTP proxy, keys of
 * providers, settings of llmproxy, colours, a locale.
 */
const FOREIGN =
  /_API_KEY$|^(?:https?|all|no)_proxy$|^(?:LLMPROXY|BUN_CONFIG|MIMALLOC|OTEL|AWS|OPENAI|ANTHROPIC|XDG|LC)_|^(?:LANG|LANGUAGE|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|NODE_ENV|NODE_EXTRA_CA_CERTS)$/i;
const OF_TESTS = /^LLMPROXY_(?:TEST_|(?:CHROMIUM|COLLECTOR|FIXTURES|GGUF|REDIS_SERVER|SPEC)$)/;

/** Whether a variable must not reach what is tested. */
export function isForeign(name: string): boolean {
  return FOREIGN.test(name) && !OF_TESTS.test(name);
}
