/** What was given, and for everything that was not what the preset says. */
export function completeBy<Given extends object, Preset extends object>(
  preset: Preset,
  given: Given,
): Omit<Given, keyof Preset> & Preset {
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...given, ...preset, ...Object.fromEntries(chosen) }
}
