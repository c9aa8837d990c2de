// Which drawing stands for a device, by the icon it named or by its own name.

export type Drawing =
  | 'bell'
  | 'camera'
  | 'car'
  | 'door'
  | 'water'
  | 'heater'
  | 'light'
  | 'plug'
  | 'fridge'
  | 'temperature'
  | 'washer'
  | 'power';

export type Sign =
  | { readonly kind: 'drawing'; readonly name: Drawing }
  | { readonly kind: 'emoji'; readonly emoji: string };

const names: readonly (readonly [RegExp, Drawing])[] = [
  [/wash|dryer|lave|seche|linge/i, 'washer'],
  [/bell|alarm|sonnette|alarme/i, 'bell'],
  [/cam/i, 'camera'],
  [/car\b|garage|voiture/i, 'car'],
  [/door|gate|porte|portail/i, 'door'],
  [/water|leak|rain|eau|fuite|pluie/i, 'water'],
  [/heat|boiler|stove|chauff|poele/i, 'heater'],
  [/light|lamp|lumi/i, 'light'],
  [/fridge|freezer|frigo|congel/i, 'fridge'],
  [/temp|thermo/i, 'temperature'],
  [/power|solar|battery|energy|solaire|batterie/i, 'power'],
];

/** An emoji the device sent, else a drawing by the icon's or the device's name, else a plug. */
export function drawnSign(icon: string | null, device: string): Sign {
  if (
    icon !== null &&
    /^\p{Extended_Pictographic}[\p{Emoji_Modifier}\u200d\ufe0f\p{Extended_Pictographic}]{0,6}$/u.test(
      icon,
    )
  ) {
    return { kind: 'emoji', emoji: icon };
  }
  for (const text of [icon, device]) {
    const found = text === null ? undefined : names.find(([pattern]) => pattern.test(text));
    if (found !== undefined) return { kind: 'drawing', name: found[1] };
  }
  return { kind: 'drawing', name: 'plug' };
}
