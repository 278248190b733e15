import { defineCommand } from 'citty';
import { about } from './argv/command.ts';
import type { Config } from '../config/schema.ts';
import type { ProviderStatus } from '../pipeline/status.ts';
import type { Flags } from '../workers/messages.ts';
import type { LoadedSource } from './source.ts';
import { VERSION } from '../version.ts';
import { integerFlag } from './argv/integer.ts';
import { stderrLines } from './lines/stderr.ts';
import type { ProgramLog } from './log.ts';
import { programLog } from './log.ts';
import { print } from './output.ts';
import { loggingFlags, overrule, refuseOpenDoor, workerCount, workersFlag } from './serve-settings.ts';
import { readPem } from './serve-socket.ts';
import { directoryProblem, serveText } from './serve-text.ts';
import { CONFIG_FLAG, loadSource } from './source.ts';
import { widthOf } from './wrap.ts';

/** What a way of serving is given. */
export interface Serve {
  readonly source: LoadedSource;
  readonly config: Config;
  readonly flags: Flags;
  readonly workers: number;
  readonly log: ProgramLog;
  /** To be called once it listens, and signals are listened to. */
  readonly listening: (url: string, providers: readonly ProviderStatus[]) => void;
}

export default defineCommand({
  meta: about({
    name: 'serve',
    description: "Serve OpenAI's and Anthropic's APIs in front of the configured providers",
    examples: [
      'llmproxy serve',
      'llmproxy serve --config production.yaml --env-file .env --port 9000',
      'llmproxy serve --host 0.0.0.0 --workers auto',
    ],
  }),
  args: {
    config: CONFIG_FLAG,
    host: { type: 'string', description: 'Address to listen on (server.host)' },
    port: { type: 'string', description: 'Port to listen on, 0 for a free one (server.port)' },
    workers: {
      type: 'string',
      valueHint: 'number|auto',
      description: 'Processes that serve the port together, on Linux (server.workers)',
    },
    'log-dir': {
      type: 'string',
      valueHint: 'dir',
      description: 'Directory of the request log (logging.requests.directory)',
    },
    'log-level': {
      type: 'string',
      valueHint: 'level',
      description: 'silent, error, warn, info or debug (logging.level)',
    },
    'log-format': { type: 'string', valueHint: 'text|json', description: 'Lines on stderr (logging.format)' },
    'show-requests': {
      type: 'boolean',
      description: 'A line on stderr for each request, also where it is no terminal (logging.show_requests)',
    },
    quiet: { type: 'boolean', alias: 'q', description: 'Nothing on stderr but warnings and errors' },
  },
  async run({ args }) {
    if (process.env.LLMPROXY_WORKER !== undefined) {
      const { serveWorker } = await import('./serve-worker.ts');
      return serveWorker();
    }
    const flags = {
      host: args.host,
      port: args.port === undefined ? undefined : integerFlag('port', args.port, 0, 65535),
      logs: args['log-dir'],
      logging: loggingFlags(args),
    };
    const wanted = workersFlag(args.workers);
    const source = await loadSource(args.config, readPem);
    const { config } = source;
    overrule(config, flags);
    refuseOpenDoor(config, config.server);
    const log = programLog(config.logging);
    const { workers: configured, unix } = config.server;
    const workers = workerCount(wanted ?? configured, unix, (message) => log.warn(message));
    const listening: Serve['listening'] = (url, providers) => {
      stderrLines.begin();
      print(`llmproxy ${VERSION} listening on ${url}\n`);
      for (const text of serveText(providers, source.found, config, widthOf(process.stderr))) log.info(text);
      if (workers > 1) log.info(`${workers} workers serve it`);
      const misplaced = directoryProblem(config);
      if (misplaced !== undefined) log.warn(misplaced);
      stderrLines.stamped = true;
    };
    const serve = { source, config, flags, workers, log, listening };
    if (workers === 1) await (await import('./serve-alone.ts')).serveAlone(serve);
    else await (await import('./serve-workers.ts')).serveWithWorkers(serve);
  },
});
