import { defineCommand } from 'citty';
import { about } from './argv/command.ts';
import { ignoredKeys } from '../config/ignored-keys.ts';
import type { Config } from '../config/schema.ts';
import type { ProviderStatus } from '../pipeline/targets/status.ts';
import type { Flags } from '../workers/messages.ts';
import type { LoadedSource } from './source.ts';
import { isShown } from '../server/page/lazy-routes.ts';
import { VERSION } from '../version.ts';
import { integerFlag } from './argv/integer.ts';
import { stderrLines } from './lines/stderr.ts';
import type { ProgramLog } from './log.ts';
import { programLog } from './log.ts';
import { print, useColor } from './output.ts';
import { loggingFlags, overrule, refuseOpenAccess, workerCount, workersFlag } from './serve-settings.ts';
import { readPem } from './serve-socket.ts';
import type { Screen } from './serve-text.ts';
import { directoryProblem, ignoredText, serveText } from './serve-text.ts';
import { CONFIG_FLAG, loadSource } from './source.ts';
import { widthOf } from './wrap.ts';

/** The parameters of both ways to serve. */
export interface Serve {
  readonly source: LoadedSource;
  readonly config: Config;
  readonly flags: Flags;
  readonly workers: number;
  readonly log: ProgramLog;
  /** Must be called once it listens, and handlers for signals are installed. */
  readonly listening: (url: string, known: { providers: readonly ProviderStatus[]; models: number }) => void;
}

export default defineCommand({
  meta: about({
    name: 'serve',
    description:
      'Serve the APIs of OpenAI, Anthropic, Gemini and Ollama in front of the configured providers',
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
      description: 'Number of processes that serve the port together, on Linux (server.workers)',
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
    'log-format': {
      type: 'string',
      valueHint: 'text|json',
      description: 'Format of lines on stderr (logging.format)',
    },
    'show-requests': {
      type: 'boolean',
      description:
        'Write a line to stderr for each request, even if it is not a terminal (logging.show_requests)',
    },
    quiet: { type: 'boolean', alias: 'q', description: 'Write only warnings and errors to stderr' },
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
    refuseOpenAccess(config, config.server);
    const log = programLog(config.logging);
    const { workers: configured, unix } = config.server;
    const workers = workerCount(wanted ?? configured, unix, (message) => log.warn(message));
    const listening: Serve['listening'] = (url, known) => {
      stderrLines.begin();
      print(`llmproxy ${VERSION} listening on ${url}\n`);
      const file = source.manager?.path;
      const open = config.auth === undefined || config.auth === 'none';
      const page = isShown({ server: config.server, auth: { open } });
      const started = { url, ...known, found: source.found, file, workers, page, config };
      const screen = config.logging.format === 'json' ? PLAIN : terminalOf(process.stderr);
      for (const text of serveText(started, screen)) log.info(text);
      const ignored = file === undefined ? [] : ignoredKeys(config, process.env);
      for (const problem of [directoryProblem(config), ignoredText(ignored, file ?? '', screen.width)])
        if (problem !== undefined) log.warn(problem);
      stderrLines.stamped = true;
    };
    const serve = { source, config, flags, workers, log, listening };
    if (workers === 1) await (await import('./serve-alone.ts')).serveAlone(serve);
    else await (await import('./serve-workers.ts')).serveWithWorkers(serve);
  },
});

/** Prints each message on its own line. */
const PLAIN: Screen = { width: Infinity, color: false };

function terminalOf(stream: NodeJS.WriteStream): Screen {
  return { width: widthOf(stream), color: useColor(stream) };
}
