import type { RunFormOption } from '../../../shared/protocol/operator/resources.ts'

/** What is in the form; a flag is `true` or absent, an option that was left alone is absent. */
export type FormValues = Readonly<Record<string, string | boolean>>

/** Where a field stands; what is not named here stands under “More”. */
const GROUPS = {
  'What is learned': ['dataset', 'model'],
  'Who takes part': [
    'clients',
    'rounds',
    'quorum',
    'goal',
    'deadline',
    'partition',
    'examplesPerClient',
    'target',
    'encoding',
  ],
  'How clients train': [
    'localEpochs',
    'batchSize',
    'optimizer',
    'learningRate',
    'scores',
    'rehearse',
    'logitAdjustment',
  ],
  'How models are fused': [
    'strategy',
    'proxy',
    'tune',
    'tuneEpochs',
    'tuneLearningRate',
    'publish',
    'outliers',
    'controls',
    'seed',
  ],
} as const satisfies Record<string, readonly string[]>

interface FieldGroup {
  readonly title: string
  readonly fields: readonly RunFormOption[]
}

/**
 * The fields in the order and under the headings in which an operator thinks of them, without those that the
 * coordinator's command line decides.
 */
export function groupFields(fields: readonly RunFormOption[]): FieldGroup[] {
  const byName = new Map(
    fields.filter(({ isFixed }) => !isFixed).map((field) => [field.name, field]),
  )
  const known = Object.entries(GROUPS).map(([title, names]) => ({
    title,
    fields: names.flatMap((name) => byName.get(name) ?? []),
  }))
  const named = new Set<string>(Object.values(GROUPS).flat())
  const rest = [...byName.values()].filter(({ name }) => !named.has(name))
  const more = { title: 'More', fields: rest }
  return [...known, more].filter((group) => group.fields.length > 0)
}

/** What differs from the defaults: what is sent, and what a command line would say. */
export function chosen(fields: readonly RunFormOption[], values: FormValues): FormValues {
  const kept = fields.flatMap(({ name, default: fallback }): [string, string | boolean][] => {
    const value = values[name]
    if (value === undefined || value === false) return []
    if (typeof value === 'string') {
      const word = value.trim()
      return word === '' || word === String(fallback ?? '') ? [] : [[name, word]]
    }
    return [[name, value]]
  })
  return Object.fromEntries(kept)
}

/** The command that starts the same run in a terminal. */
export function commandLine(fields: readonly RunFormOption[], values: FormValues): string {
  const given = chosen(fields, values)
  const words = fields.flatMap(({ name, flag }) => {
    const value = given[name]
    if (value === undefined) return []
    return value === true ? [flag] : [`${flag} ${quoted(String(value))}`]
  })
  return ['graft coordinator', ...words].join(' ')
}

/**
 * Which faults belong to which field: the coordinator names an option in each, as the command line does.
 *
 * @returns by field; what names none is under ''
 */
export function faultsByField(
  detail: string,
  fields: readonly RunFormOption[],
): Map<string, string> {
  const faults = new Map<string, string>()
  for (const sentence of detail.split(/(?<=\.) (?=--)/)) {
    const word = /--[a-z-]+/.exec(sentence)?.[0]
    const name = fields.find(({ flag }) => flag === word)?.name ?? ''
    faults.set(name, [faults.get(name), sentence].filter(Boolean).join(' '))
  }
  return faults
}

/** As a person would write it above a field: `Local epochs`. */
export function fieldLabel(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
