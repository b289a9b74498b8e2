import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { STRATEGIES } from '../../server/fusion/strategies.ts'
import type { Strategy } from '../../server/fusion/strategy.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const manifest = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>
  optionalDependencies: Record<string, string>
}

describe('the documents', () => {
  it.each(['README.md', 'ARCHITECTURE.md', 'shared/protocol/PROTOCOL.md'])(
    'should have no dead link in %s',
    (file) => {
      const links = [...read(file).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link!)
      const dead = links.filter((link) => !existsSync(join(ROOT, dirname(file), link)))
      expect(dead).toEqual([])
    },
  )

  it('should give a reason for each runtime dependency, and for no other package', () => {
    const [, table = ''] = read('ARCHITECTURE.md').split('## Dependencies')
    const explained = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
    )
    const { dependencies, optionalDependencies } = manifest
    expect(explained.sort()).toEqual(
      Object.keys({ ...dependencies, ...optionalDependencies }).sort(),
    )
  })

  it('should map every folder of the house', () => {
    const map = /## Code map([^]*?)\n## /.exec(read('ARCHITECTURE.md'))?.[1] ?? ''
    const missing = [...map.matchAll(/^\| `([^`]+)` \|/gm)].filter(
      ([, path]) => !existsSync(join(ROOT, path!)),
    )
    expect(missing).toEqual([])
  })

  it('should describe every strategy that can be run, with its options', () => {
    const rows = [
      ...read('README.md').matchAll(/^\| `([a-z-]+)` \|.*\| \[([\d.]+)\].*\| ([^|]*) \|$/gm),
    ]
    const described = rows.map(([, name, paper, options]) => ({
      name,
      paper,
      options: [...options!.matchAll(/`(\w+)`/g)].map(([, option]) => option),
    }))
    const strategies = Object.values<Strategy>(STRATEGIES).filter((of) => of.isComparison !== true)
    expect(described.filter(({ options }) => options.length > 0)).toEqual(
      strategies
        .map(({ name, paper, options }) => ({
          name,
          paper: /[\d.]+/.exec(paper)![0],
          options: Object.keys(options),
        }))
        .filter(({ options }) => options.length > 0),
    )
  })

  it('should show only commands of graft that exist', () => {
    const commands = [...read('README.md').matchAll(/graft ([a-z]+)/g)].map(([, name]) => name!)
    const known = [...read('cli.ts').matchAll(/^ {2}(\w+): async \(\) =>/gm)].map(
      ([, name]) => name!,
    )
    expect(commands.length).toBeGreaterThan(5)
    expect(commands.filter((name) => !known.includes(name))).toEqual([])
  })
})
