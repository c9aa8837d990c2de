// The parts of the settings, in their order.

export const sections = ['profile', 'browsers', 'keys', 'tokens', 'look'] as const;
export type Section = (typeof sections)[number];

/** Guests have no password, no keys to keep and no programs. */
export const guestSections: readonly Section[] = ['profile', 'look'];
