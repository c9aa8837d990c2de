// The parts of the settings, in their order: one's own, then those of whoever runs the house.
import { houseSections } from '../administration/sections';

export const ownSections = ['profile', 'browsers', 'keys', 'tokens', 'look'] as const;
export type OwnSection = (typeof ownSections)[number];

export const sections = [...ownSections, ...houseSections] as const;
export type Section = (typeof sections)[number];

/** Guests have no password, no keys to keep and no programs. */
export const guestSections: readonly OwnSection[] = ['profile', 'look'];
