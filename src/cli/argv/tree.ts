import type { CommandDef } from 'citty';
import type { CommandInfo } from './command.ts';

/** Loads a command. Its module is imported when it is called, or when all commands are listed. */
type Load = () => Promise<CommandDef>;

/** The commands in the order of help, completions and the reference. */
const COMMANDS: Readonly<Record<string, Load>> = {
  serve: async () => (await import('../serve.ts')).default as CommandDef,
  run: async () => (await import('../run/run.ts')).default as CommandDef,
  health: async () => (await import('../health.ts')).default as CommandDef,
  doctor: async () => (await import('../doctor/doctor.ts')).default as CommandDef,
  config: async () => (await import('../config.ts')).default as CommandDef,
  keys: async () => (await import('../keys/keys.ts')).default as CommandDef,
  plugin: async () => (await import('../plugin/plugin.ts')).default as CommandDef,
  providers: async () => (await import('../providers.ts')).default as CommandDef,
  explain: async () => (await import('../explain.ts')).default as CommandDef,
  logs: async () => (await import('../logs/logs.ts')).default as CommandDef,
  usage: async () => (await import('../usage.ts')).default as CommandDef,
  export: async () => {
    const { default: command } = await import('../export.ts');
    // Its flags are described in groups.
    const help = async () => (await import('../export-help.ts')).exportHelp();
    const meta: CommandInfo = { ...(command.meta as CommandInfo), help };
    return { ...command, meta } as CommandDef;
  },
  completions: async () => (await import('../completions/completions.ts')).default as CommandDef,
  licenses: async () => (await import('../licenses.ts')).default as CommandDef,
  help: async () => (await import('../help-command.ts')).default as CommandDef,
};

/** The program itself. */
export const ROOT: CommandDef = {
  meta: { name: 'llmproxy', description: 'One binary between your programs and every LLM provider' },
  subCommands: COMMANDS,
};
