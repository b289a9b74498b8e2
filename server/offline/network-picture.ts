import pc from 'picocolors'
import type { Colors } from '../../shared/command/text-stream.ts'
import { wrapWords } from '../../shared/terminal/format.ts'
import type {
  GroupDescription,
  LevelDescription,
  NetworkDescription,
} from './network-description.ts'

/** What every terminal has room for. */
const COLUMNS = 80
const INDENT = 4

/**
 * A network for people: its levels from input to logits, then each group of neurons with the weights that
 * go with it.
 *
 * @param colors none by default
 * @returns lines of at most 80 characters where names allow, joined, without a last line end
 */
export function networkPicture(
  network: NetworkDescription,
  colors: Colors = pc.createColors(false),
): string {
  const { name, inputShape, numClasses, parameters, statistics, levels, groups } = network
  const counted = [
    `${number(parameters)} parameters`,
    ...(statistics > 0 ? [`${number(statistics)} moving statistics`] : []),
    `${levels.length} levels`,
    `${groups.length} groups of neurons`,
  ]
  return [
    colors.bold(`${name}: reads ${shape(inputShape)}, tells ${numClasses} classes apart`),
    counted.join(', '),
    '',
    colors.bold('Levels, input side first'),
    ...levelLines(levels, colors),
    '',
    colors.bold('Groups: neurons that go together, and the weights they lie on, as weight@axis'),
    ...groups.flatMap((group) => groupLines(group, colors)),
  ].join('\n')
}

function levelLines(levels: readonly LevelDescription[], colors: Colors): string[] {
  const nameWidth = Math.min(24, Math.max(...levels.map(({ name }) => name.length)))
  const shapeWidth = Math.max(...levels.map(({ outputShape }) => shape(outputShape).length))
  const sizeWidth = Math.max(...levels.map(({ parameters }) => number(parameters).length))
  return levels.flatMap(({ index, name, outputShape, parameters, pre, post, layers, groups }) => {
    const head = `${String(index).padStart(3)} ${name.padEnd(nameWidth)}  ${shape(outputShape).padEnd(shapeWidth)}  ${number(parameters).padStart(sizeWidth)} parameters`
    const where =
      pre === post ? `neurons at ${pre}` : `neurons at ${pre}, behind activation at ${post}`
    const details = [`layers ${layers.join(' ')}`, `${where}; ${groupsText(groups)}`]
    return [head, ...details.flatMap((detail) => indented(detail)).map(colors.dim)]
  })
}

const groupsText = (groups: readonly string[]): string =>
  groups.length === 1 ? `group ${groups[0]!}` : `groups ${groups.join(' ')}`

/** Roles in the order in which a neuron meets them, as one says them. */
const ROLES = {
  kernel: 'made by',
  embedding: 'made by',
  bias: 'bias',
  gamma: 'normalised by',
  beta: 'normalised by',
  movingMean: 'normalised by',
  movingVariance: 'normalised by',
  reader: 'read by',
} as const

function groupLines(group: GroupDescription, colors: Colors): string[] {
  const { name, width, levels } = group
  const says = [
    group.isHead ? 'the classes' : group.isFixed ? 'fixed' : '',
    levels.length > 1 ? `residual stream of ${levels.length} levels` : '',
    levels.length === 0 ? 'inside of a level' : '',
  ].filter((word) => word !== '')
  const title = `  ${name}: ${number(width)} neurons${says.length > 0 ? ` (${says.join(', ')})` : ''}`
  const stream = levels.length > 1 ? indented(`levels ${levels.join(' ')}`) : []
  const roles = new Set(group.weights.map(({ role }) => ROLES[role]))
  const lines = [...roles].flatMap((role) => {
    const members = group.weights.filter((member) => ROLES[member.role] === role)
    return indented(`${role} ${namesOf(members).join(', ')}`)
  })
  return [title, ...[...stream, ...lines].map(colors.dim)]
}

/** Weights of one layer together, as in `bn1.{gamma,beta}@0`. */
function namesOf(members: GroupDescription['weights']): string[] {
  const byPlace = new Map<string, { layer: string; names: string[]; place: string }>()
  for (const { weight, axis, positions } of members) {
    const dot = weight.lastIndexOf('.')
    const layer = weight.slice(0, dot)
    const place = `@${axis}${positions === 'one each' ? '' : ` (${positions})`}`
    const key = `${layer}${place}`
    const { names } = byPlace.get(key) ?? { names: [] }
    byPlace.set(key, { layer, place, names: [...names, weight.slice(dot + 1)] })
  }
  return [...byPlace.values()].map(({ layer, names, place }) =>
    names.length === 1 ? `${layer}.${names[0]!}${place}` : `${layer}.{${names.join(',')}}${place}`,
  )
}

function indented(text: string): string[] {
  return wrapWords(text, COLUMNS - INDENT).map((line) => `${' '.repeat(INDENT)}${line}`)
}

const shape = (dims: readonly (number | null)[]): string =>
  `[${dims.map((dim) => dim ?? 'any').join(', ')}]`

const number = (value: number): string => value.toLocaleString('en-US')
