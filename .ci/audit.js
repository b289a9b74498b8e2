// Fails on high and critical advisories that .ci/audit-exceptions.json does not name. A registry that answers no audits, as a
// mirror may, is told and fails nothing: the build does not depend on a service of somebody else's.
//
// node .ci/audit.js [REPORT]   REPORT: a file with the output of `npm audit --json`, in the place of asking
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const GRAVE = ['high', 'critical']

const { exceptions } = JSON.parse(
  readFileSync(
    process.env.AUDIT_EXCEPTIONS ?? new URL('audit-exceptions.json', import.meta.url),
    'utf8',
  ),
)
for (const { advisory, reason, until } of exceptions) {
  if (!/^GHSA(-[0-9a-z]{4}){3}$/.test(advisory) || !reason || Number.isNaN(Date.parse(until))) {
    fail(`An exception needs advisory (GHSA-...), reason and until (a date): ${advisory}`)
  }
}

const [file] = process.argv.slice(2)
const report = parse(file === undefined ? ask() : readFileSync(file, 'utf8'))
if (report?.vulnerabilities === undefined) {
  console.log(
    `The registry answers no audits (${report?.message ?? 'no JSON'}): nothing was checked.`,
  )
  process.exit(0)
}

const found = new Map()
for (const { via } of Object.values(report.vulnerabilities)) {
  for (const cause of via) {
    // A name alone: the advisory is at that package's own entry.
    if (typeof cause === 'string' || !GRAVE.includes(cause.severity)) continue
    found.set(cause.url.split('/').at(-1), `${cause.name} ${cause.range}: ${cause.title}`)
  }
}

const today = Date.now()
let isBad = false
for (const [advisory, what] of found) {
  const exception = exceptions.find((each) => each.advisory === advisory)
  const isOver = exception !== undefined && Date.parse(exception.until) < today
  const word = exception === undefined ? 'NEW' : isOver ? 'OVERDUE' : 'known'
  console.log(`${word}  ${advisory}  ${what}${exception ? `  (${exception.reason})` : ''}`)
  if (word !== 'known') isBad = true
}
for (const { advisory } of exceptions) {
  if (!found.has(advisory)) console.log(`gone   ${advisory}: the exception may be removed.`)
}
if (isBad) {
  fail('Update the packages, or name the advisory in .ci/audit-exceptions.json with a reason.')
}
console.log(`${found.size} high or critical advisories, all of them known.`)

function ask() {
  const { stdout, error } = spawnSync('npm', ['audit', '--json'], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  return error === undefined ? stdout : JSON.stringify({ message: error.message })
}

function parse(json) {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function fail(problem) {
  console.error(problem)
  process.exit(1)
}
