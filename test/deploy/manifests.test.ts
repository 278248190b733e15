/**
 * The files in deploy/ for systemd, Docker and Kubernetes, checked with the tools for them if these are
 * installed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Glob, RedisClient, YAML } from 'bun';
import { version } from '../../package.json';
import { built, cleared, folder, run, serveConfig } from '../helpers/binary.ts';
import { REDIS_SERVER, TestRedis } from '../helpers/redis-server.ts';

const DEPLOY = join(import.meta.dir, '../../deploy');
const read = (path: string) => readFileSync(join(DEPLOY, path), 'utf8');
const temporary = mkdtempSync(join(tmpdir(), 'llmproxy-deploy-'));

beforeAll(built, 60_000);
afterAll(cleared);
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Record<string, string>;
  readonly spec?: { readonly template?: { readonly spec: Pod }; readonly [key: string]: unknown };
}

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly [{ readonly containerPort: number }];
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string } };
}

/** Runs a tool. @returns its output @throws Error with its output if it fails */
function tool(command: readonly string[], input?: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    stdin: input === undefined ? 'ignore' : Buffer.from(input),
  });
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stdout.toString()}${stderr.toString()}`);
  return stdout.toString();
}

function resourcesOf(text: string): Map<string, Resource> {
  const documents = text.split(/^---$/m).map((part) => YAML.parse(part) as Resource | null);
  return new Map(documents.filter((each) => each !== null).map((each) => [each.kind, each]));
}

/**
 * Expects the configuration to be valid with the variables it names, and its times to fit into those of the
 * pod.
 */
function expectServes(resources: Map<string, Resource>): void {
  const config = resources.get('ConfigMap')!.data!['config.yaml']!;
  const pod = resources.get('StatefulSet')!.spec!.template!.spec;
  const [container] = pod.containers;
  const parsed = YAML.parse(config) as { server: { port?: number; drain_timeout: string } };
  const drainSeconds = Number(parsed.server.drain_timeout.replace('s', ''));
  const { seconds } = container.lifecycle.preStop.sleep;
  expect(drainSeconds + seconds).toBeLessThan(pod.terminationGracePeriodSeconds);
  expect(container.ports[0].containerPort).toBe(parsed.server.port ?? 8000);
  expect(container.args).toEqual(['serve', '--config', '/etc/llmproxy/config.yaml']);
  expectValid(config);
}

function expectValid(config: string): void {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), config);
  writeFileSync(
    join(cwd, '.env'),
    [...config.matchAll(/(?:key_env: |\$\{)(\w+)/g)]
      .map(([, name]) => `${name}=sk-0123456789-${name}\n`)
      .join(''),
  );
  const { code, out, err } = run(cwd, 'config', 'validate', 'config.yaml', '--env-file', '.env');
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('config.yaml is valid');
}

const kubectl = Bun.which('kubectl');
const helm = Bun.which('helm');
const systemd = Bun.which('systemd-analyze');

test.skipIf(!systemd)('the systemd unit is valid, and only its program is missing', () => {
  const unit = join(temporary, 'llmproxy.service');
  const text = read('systemd/llmproxy.service');
  writeFileSync(unit, text.replaceAll('/usr/local/bin/llmproxy', '/bin/true'));
  expect(tool([systemd!, 'verify', unit])).toBe('');
});

test.skipIf(!kubectl)('the manifests for Kubernetes build, and contain a valid configuration', () => {
  const resources = resourcesOf(tool([kubectl!, 'kustomize', join(DEPLOY, 'kubernetes')]));
  expect([...resources.keys()].toSorted()).toEqual([
    'ConfigMap',
    'PodDisruptionBudget',
    'Service',
    'StatefulSet',
  ]);
  expectServes(resources);
  const [{ image }] = resources.get('StatefulSet')!.spec!.template!.spec.containers;
  expect(image).toBe(`llmproxy:${version}`);
});

describe.skipIf(!helm)('the chart for Helm', () => {
  const chart = join(DEPLOY, 'helm/llmproxy');

  test('renders, lints, and contains a valid configuration', () => {
    tool([helm!, 'lint', '--strict', chart]);
    const resources = resourcesOf(tool([helm!, 'template', 'llmproxy', chart]));
    expectServes(resources);
  });

  test('renders everything that can be enabled', () => {
    const on = ['ingress', 'autoscaling', 'serviceMonitor'].flatMap((name) => [
      '--set',
      `${name}.enabled=true`,
    ]);
    const text = tool([helm!, 'template', 'x', chart, ...on, '--set', 'persistence.enabled=false']);
    const resources = resourcesOf(text);
    expect(resources.get('HorizontalPodAutoscaler')!.metadata.name).toBe('x-llmproxy');
    expect(resources.has('Ingress')).toBe(true);
    expect(resources.has('ServiceMonitor')).toBe(true);
    expect(resources.get('StatefulSet')!.spec!.replicas).toBeUndefined();
    expect(resources.get('StatefulSet')!.spec!.volumeClaimTemplates).toBeUndefined();
  });
});

test('the chart has this version, and scales by a metric that exists', async () => {
  const chart = YAML.parse(read('helm/llmproxy/Chart.yaml')) as { version: string; appVersion: string };
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
  const [, metric] = /name: (llmproxy_\w+)/.exec(read('helm/llmproxy/templates/autoscaling.yaml'))!;
  const { url } = await serveConfig({ providers: [{ name: 'mock', type: 'mock' }] });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain(`# TYPE ${metric} gauge`);
  const probes = [...new Glob('**/*.{yaml,tpl}').scanSync(DEPLOY)].flatMap((path) =>
    [...read(path).matchAll(/path: (\/health\S*)/g)].map(([, probed]) => probed!),
  );
  expect(probes.length).toBeGreaterThan(0);
  for (const path of new Set(probes)) expect((await fetch(url + path)).status).toBe(200);
});

test('the configuration of the image is valid, and is the one its command names', () => {
  expectValid(read('docker/config.yaml'));
  const dockerfile = read('docker/Dockerfile');
  expect(dockerfile).toContain('COPY deploy/docker/config.yaml /etc/llmproxy/config.yaml');
  expect(dockerfile).toContain('CMD ["serve", "--config", "/etc/llmproxy/config.yaml"]');
});

interface Compose {
  readonly services: Record<
    string,
    {
      image: string;
      volumes?: readonly string[];
      env_file?: string;
      stop_grace_period?: string;
      command?: readonly string[];
    }
  >;
}

describe('the services for Docker Compose', () => {
  const compose = join(DEPLOY, 'compose');
  const { services } = YAML.parse(read('compose/compose.yaml')) as Compose;

  test('mount files that exist, and name versions of images', () => {
    const mounted = Object.values(services)
      .flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0]!))
      .filter((source) => source.startsWith('.'));
    expect(mounted.length).toBeGreaterThan(3);
    expect(mounted.filter((source) => !existsSync(join(compose, source)))).toEqual([]);
    for (const { image } of Object.values(services)) expect(image).toMatch(/:v?\d+\.\d+\.\d+\}?$/);
    expect(services.llmproxy!.image).toContain(`:${version}`);
  });

  test('contain a valid configuration, whose variables are in the example .env', () => {
    const config = read('compose/config/config.yaml');
    expectValid(config);
    expectValid(config.replaceAll(/^# (telemetry:| {2}enabled| {2}endpoint)/gm, '$1'));
    const named = [...config.matchAll(/(?:key_env: |\$\{)(\w+)/g)].map(([, name]) => name!);
    expect(named).toContain('VALKEY_PASSWORD');
    const given = read('compose/env.example');
    expect(named.filter((name) => !given.includes(`${name}=`))).toEqual([]);
  });

  test.skipIf(REDIS_SERVER === null)(
    'start Valkey in a way that it takes, and that keeps counters',
    async () => {
      const [, ...args] = services.valkey!.command!;
      const password = args.indexOf('--requirepass') + 1;
      expect(args[password]).toStartWith('${VALKEY_PASSWORD:?');
      await using server = await TestRedis.start(...args.with(password, 'a-password'));
      const url = server.url.replace('//', '//:a-password@');
      const client = new RedisClient(url);
      const said = (await client.send('CONFIG', ['GET', 'maxmemory-policy'])) as Record<string, string>;
      expect(Object.values(said)).toContain('noeviction');
      expect(String(await client.send('INFO', ['persistence']))).toContain('aof_enabled:1');
      client.close();
    },
  );

  const composes = Bun.which('docker') && Bun.spawnSync(['docker', 'compose', 'version']).exitCode === 0;
  test.skipIf(!composes)('are accepted by Docker Compose', () => {
    const env = join(temporary, 'compose.env');
    writeFileSync(env, read('compose/env.example').replaceAll(/=$/gm, '=x'));
    writeFileSync(join(temporary, '.env'), readFileSync(env));
    const text = read('compose/compose.yaml').replaceAll('env_file: .env', `env_file: ${env}`);
    const args = ['-f', '-', '--project-directory', compose, '--env-file', env, 'config', '--quiet'];
    expect(tool(['docker', 'compose', ...args], text)).toBe('');
  });
});
