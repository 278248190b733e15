import { defineCommand } from 'citty';
import create from './create.ts';
import { disable, enable } from './disable.ts';
import list from './list.ts';
import raise from './raise.ts';
import revoke from './revoke.ts';
import rotate from './rotate.ts';
import show from './show.ts';

export default defineCommand({
  meta: { name: 'keys', description: 'Create, list, rotate and revoke the keys of clients' },
  subCommands: { create, list, show, rotate, revoke, disable, enable, raise },
});
