import { defineCommand } from 'citty';

export default defineCommand({
  meta: { name: 'plugin', description: 'Begin or check plugins: providers and hooks of your own' },
  subCommands: {
    init: async () => (await import('./init.ts')).default,
    check: async () => (await import('./check.ts')).default,
  },
});
