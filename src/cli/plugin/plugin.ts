import { defineCommand } from 'citty';

export default defineCommand({
  meta: { name: 'plugin', description: 'Create or check plugins: your own providers and hooks' },
  subCommands: {
    init: async () => (await import('./init.ts')).default,
    check: async () => (await import('./check.ts')).default,
  },
});
