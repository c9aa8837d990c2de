// How long a guest can be let in, in days; the box takes a year at most unless it was told otherwise.

export const stays = [1, 3, 7, 30, 90, 365] as const;
