// What a name and a new password must be like before they are sent.

/** Characters of a new password at least; the key derived from it guards everything. */
export const passwordCharsMin = 10;
/** Characters of a house's or a room's name at most. */
export const nameCharsMax = 100;
/** Characters of what a room is about at most. */
export const topicCharsMax = 1_000;

/** 3 to 20 letters, digits or underscores. */
export function nameIsRight(name: string): boolean {
  return /^[A-Za-z0-9_]{3,20}$/.test(name);
}

/** Long enough, counted in characters as people see them. */
export function passwordIsRight(password: string): boolean {
  return [...password].length >= passwordCharsMin;
}
