import * as api from './llmproxy.ts';
import * as testing from './testing.ts';

let isThere = false;

/**
 * Lets files outside of this program import 'llmproxy' and 'llmproxy/testing'. What they get are this program's own classes, and
 * no package of that name goes before them.
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
