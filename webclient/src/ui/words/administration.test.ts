// Lines of the log in both languages.
import { expect, test } from 'vitest';
import { englishAdministration } from './english_administration';
import { frenchAdministration } from './french_administration';

test('a role in a room is told with whose it is, and which', () => {
  const told = { who: 'Anna', what: 'Garden', room: null, from: null, whom: 'Bert', to: 'admin' };
  const said = [englishAdministration, frenchAdministration].map(({ log }) =>
    log.actions['member.role']?.(told),
  );
  expect(said).toEqual([
    'Anna made Bert an admin of Garden',
    'Anna a fait de Bert : admin dans Garden',
  ]);
  const older = englishAdministration.log.actions['member.role']?.({ ...told, whom: null });
  expect(older).toBe('Anna made someone an admin of Garden');
});
