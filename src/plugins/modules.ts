import * as api from './llmproxy.ts';
import * as testing from './testing.ts';

let isThere = false;

/**
 * Lets files outside this program import 'llmproxy' and 'llmproxy/testing'. They get this program's own classes, which
 * take precedence over any package of that name.
 */
export function provideApi(): void {
  if (isThere) return;
  isThere = true;
  Bun.plugin({
    name: 'llmproxy',
    setup(build) {
      build.module('llmproxy', () => ({ exports: api, loader: 'object' }));
      build.module('llmproxy/testing', () => ({ exports: testing, loader: 'object' }));
    },
  });
}
