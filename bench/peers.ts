/**
 * Other proxies, where they are installed in a folder that the bench is told:
 *
 *     npm install --prefix DIR/portkey @portkey-ai/gateway
 *     python3 -m venv DIR/litellm && DIR/litellm/bin/pip install 'litellm[proxy]'
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Glob } from 'bun';
import type { Subject } from './subjects.ts';
import { freePort, startedAt } from './subjects.ts';

export interface Peers {
  readonly subjects: readonly Subject[];
  /** A line for each proxy that is not installed. */
  readonly missing: readonly string[];
}

export function peers(directory: string | undefined, upstream: string): Peers {
  if (directory === undefined)
    return { subjects: [], missing: ['Portkey and LiteLLM are left out: name their folder with PEERS=DIR'] };
  const node = Bun.which('node');
  const portkey = join(directory, 'portkey/node_modules/@portkey-ai/gateway/build/start-server.js');
  const litellm = join(directory, 'litellm/bin/litellm');
  return {
    subjects: [
      ...(existsSync(portkey) && node ? [portkeySubject(node, portkey, upstream)] : []),
      ...(existsSync(litellm) ? [litellmSubject(litellm, upstream)] : []),
    ],
    missing: [
      ...(node ? [] : ['Portkey is left out: there is no node']),
      ...(existsSync(portkey) ? [] : [`Portkey is left out: there is no ${portkey}`]),
      ...(existsSync(litellm) ? [] : [`LiteLLM is left out: there is no ${litellm}`]),
    ],
  };
}

function portkeySubject(node: string, program: string, upstream: string): Subject {
  const headers = `x-portkey-provider: openai\r\nx-portkey-custom-host: ${upstream}/v1\r\n`;
  return {
    name: 'Portkey',
    kind: 'peer',
    version: (JSON.parse(readFileSync(join(program, '../../package.json'), 'utf8')) as { version: string })
      .version,
    translates: false,
    start: (folder) => {
      const port = freePort();
      return startedAt(port, [node, program, `--port=${port}`, '--headless'], {
        folder,
        env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1' },
        headers,
      });
    },
  };
}

function litellmSubject(program: string, upstream: string): Subject {
  const installed = new Glob('lib/python*/site-packages/litellm-*.dist-info/METADATA');
  const [dist] = installed.scanSync({ cwd: join(program, '../..') });
  return {
    name: 'LiteLLM',
    kind: 'peer',
    version: /litellm-([\d.]+)\.dist-info/.exec(dist ?? '')?.[1],
    translates: true,
    start: (folder) => {
      const port = freePort();
      const config = join(folder, 'litellm.yaml');
      const parameters = { model: 'openai/*', api_base: `${upstream}/v1`, api_key: 'sk-bench' };
      writeFileSync(
        config,
        JSON.stringify({
          model_list: [{ model_name: '*', litellm_params: parameters }],
          litellm_settings: { num_retries: 0, telemetry: false },
        }),
      );
      const command = [program, '--config', config, '--host', '127.0.0.1', '--port', String(port)];
      return startedAt(port, command, { folder, env: { LITELLM_LOG: 'ERROR' } });
    },
  };
}
