// Compares Graft with what the papers' own code gave, case by case, and exits with 1 on any miss: a number
// out of tolerance, a case that cannot be run, a tensor that no check looks at.
//
//   npm run golden [-- FOLDER] [--engine native|wasm|webgpu]
import { parseArgs } from 'node:util'
import { ENGINE_CHOICES, startEngine } from '../../shared/engine/engine.ts'
import { casesIn, FIXTURES } from './fixture.ts'
import { type CaseResult, isMiss, runCase } from './run-case.ts'
import type { Comparison } from './compare.ts'

const { values, positionals } = parseArgs({
  options: { engine: { type: 'string', default: process.env['GRAFT_ENGINE'] ?? 'auto' } },
  allowPositionals: true,
})
const choice = ENGINE_CHOICES.find((known) => known === values.engine)
if (choice === undefined) throw new RangeError(`--engine takes ${ENGINE_CHOICES.join(', ')}`)
const [folder = FIXTURES] = positionals
const engine = await startEngine(choice)

const names = casesIn(folder)
const width = Math.max(4, ...names.map(({ length }) => length))
console.log(`${folder}, ${engine.name} ${engine.version}`)
console.log(`${'case'.padEnd(width)}  compared  largest error  tolerance        tensor`)
let misses = names.length === 0 ? 1 : 0
for (const name of names) {
  const result = await runCase(name, engine.name, folder)
  const isOk = print(result)
  if (!isOk) misses++
}
console.log(`${names.length - misses} of ${names.length} cases ok, ${misses} missed`)
process.exitCode = misses > 0 ? 1 : 0

function print({ name, comparisons, uncompared, problem }: CaseResult): boolean {
  const isOk = problem === undefined && uncompared.length === 0 && !comparisons.some(isMiss)
  const worst = comparisons.reduce<Comparison | undefined>(
    (most, of) => (most === undefined || part(of) > part(most) ? of : most),
    undefined,
  )
  const count = new Set(comparisons.map(({ tensor }) => tensor)).size
  const numbers = worst
    ? `${worst.error.toExponential(1).padStart(13)}  ${worst.tolerance.toExponential(1).padStart(9)}`
    : ' '.repeat(24)
  const shown = `${name.padEnd(width)}  ${String(count).padStart(8)}  ${numbers}`
  console.log(`${shown}  ${isOk ? 'ok  ' : 'MISS'}  ${worst?.tensor ?? ''}`)
  if (problem !== undefined) console.log(`  cannot be run: ${problem}`)
  for (const { tensor, error, tolerance } of comparisons.filter(isMiss)) {
    console.log(`  ${tensor}: ${error.toExponential(2)}, allowed ${tolerance.toExponential(1)}`)
  }
  if (uncompared.length > 0) {
    const more = uncompared.length > 5 ? ', ...' : ''
    const listed = uncompared.slice(0, 5).join(', ')
    console.log(`  ${uncompared.length} tensors not compared: ${listed}${more}`)
  }
  return isOk
}

/** How much of what is allowed an error takes. */
function part({ error, tolerance }: Comparison): number {
  return tolerance === 0 ? (error === 0 ? 0 : Infinity) : error / tolerance
}
