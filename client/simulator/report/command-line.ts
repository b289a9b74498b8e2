/** The words of a command as they would be typed in a shell, quoted where need be. */
export function commandLine(words: readonly string[]): string {
  return ['graft', ...words].map(quoted).join(' ')
}

function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
