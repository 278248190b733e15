import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { BaseProvider } from './base.ts';
import type { FactoryDeps } from './factory.ts';
import { systemClock } from '../clock.ts';
import { resolveKeys } from '../config/keys.ts';
import { VERSION } from '../version.ts';
import { connectPool, directDial } from './connect.ts';
import { ProviderFactory } from './factory.ts';

/** The dependencies of providers; the platform's own by default. */
export interface MakingDeps extends Partial<
  Pick<FactoryDeps, 'connect' | 'dial' | 'log' | 'learn' | 'plugins'>
> {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

/** Creates the factory of providers, with the platform's own dependencies by default. */
export function providerFactory(deps: MakingDeps): ProviderFactory {
  return new ProviderFactory({
    clock: deps.clock ?? systemClock,
    connect: deps.connect ?? connectPool,
    dial: deps.dial ?? directDial(deps.env),
    env: deps.env,
    keysOf: (provider) => resolveKeys(provider, deps.env).keys,
    readText: (path) => Bun.file(path).text(),
    learn: deps.learn ?? (() => undefined),
    log: deps.log ?? (() => undefined),
    plugins: deps.plugins,
    userAgent: `llmproxy/${VERSION}`,
  });
}

/** The enabled providers of a configuration. @throws as the constructor of a plugin's class does */
export function makeProviders(config: Config, deps: MakingDeps): BaseProvider[] {
  const factory = providerFactory(deps);
  return config.providers.filter(({ enabled }) => enabled).map((each) => factory.create(each));
}
