import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CsvError, parse } from 'csv-parse/sync'
import { GraftError } from '../../errors.ts'
import { orderClasses } from './class-names.ts'
import { type Column, invalidData, type RawData, type RawSplit } from './raw-data.ts'

export interface TableOptions {
  /** Column with the classes; the last one when not given. */
  readonly label?: string | undefined
  /** How the table must be read, as when it is to fit another one; found out when not given. */
  readonly columns?: readonly Column[] | undefined
}

/** More different words than this in a column are no categories but names, dates or free text. */
const MAX_CATEGORIES = 100
/** Beyond it, the statistics of a table are too long to be announced to clients. */
const MAX_INPUTS = 10_000

const MISSING = new Set(['', 'na', 'n/a', 'nan', 'null', '?'])

interface Row {
  /** In the file, from 1, the header being one. */
  readonly line: number
  readonly cells: readonly string[]
}

interface Table {
  readonly file: string
  readonly header: readonly string[]
  readonly rows: readonly Row[]
}

/**
 * Reads a CSV file with a header, or a folder with `train.csv` and, maybe, `test.csv`. Commas, semicolons
 * or tabs divide the cells. A column of numbers becomes one input, any other one input a category.
 *
 * @throws GraftError GRAFT_DATA_INVALID naming file, line and column: a missing value, a word among
 *   numbers, labels that are no classes, no label column, a row of another length, too many categories;
 *   GRAFT_DATA_MISMATCH when the table does not have the columns or categories that it must have
 */
export async function readCsv(path: string, options: TableOptions = {}): Promise<RawData> {
  const isFolder = (await stat(path)).isDirectory()
  const train = await readTable(isFolder ? join(path, 'train.csv') : path)
  const test = isFolder ? await readTableIfThere(join(path, 'test.csv')) : null
  if (test !== null && String(test.header) !== String(train.header)) {
    throw invalidData(
      `${test.file} has the columns ${test.header.join(', ')}, and ${train.file} ${train.header.join(', ')}: give both the same.`,
    )
  }
  const tables = test === null ? [train] : [train, test]
  const label = labelColumn(train, options.label)
  const notes: string[] = []
  const columns = options.columns ?? findColumns(tables, label)
  const places = columns.map(({ name }) => placeOf(train, name))
  assertNoOthers(train, [label, ...places])
  const size = columns.reduce((sum, { categories }) => sum + (categories?.length ?? 1), 0)
  if (size === 0)
    throw invalidData(`${train.file} has labels only: it needs a column to learn from.`)
  if (size > MAX_INPUTS) {
    throw invalidData(
      `${train.file} gives ${size} inputs; ${MAX_INPUTS} are the most. Leave out columns that do not help.`,
    )
  }
  const classNames = orderClasses(
    tables.flatMap((table) => classLabels(table, label)),
    `Column "${train.header[label]!}" of ${train.file}`,
  )
  assertAreClasses(train, label, classNames)
  const encode = (table: Table): RawSplit => {
    const values = new Float32Array(table.rows.length * size)
    table.rows.forEach((row, i) => {
      let at = i * size
      for (const [c, column] of columns.entries()) {
        at = writeCell(values, at, column, { table, row, place: places[c]! })
      }
    })
    const labels = classLabels(table, label).map((name) => classNames.indexOf(name))
    return { values, labels: Int32Array.from(labels) }
  }
  const words = columns.filter(({ categories }) => categories !== null)
  if (words.length > 0 && options.columns === undefined) {
    const names = words.map(({ name, categories }) => `${name} (${categories!.length})`)
    notes.push(`Columns read as categories, one input each: ${names.join(', ')}.`)
  }
  if (options.label === undefined) {
    notes.push(
      `The label is column "${train.header[label]!}", the last one (--label chooses another).`,
    )
  }
  return {
    kind: isFolder ? 'folder of tables' : 'table',
    inputShape: [size],
    numClasses: classNames.length,
    classNames,
    columns,
    train: encode(train),
    test: test && encode(test),
    notes,
  }
}

/** Whether an input of a table is 0 or 1 for a category, which scaling leaves alone, [input]. */
export function areCategories(columns: readonly Column[]): boolean[] {
  return columns.flatMap(({ categories }) => categories?.map(() => true) ?? [false])
}

async function readTableIfThere(file: string): Promise<Table | null> {
  const isThere = await stat(file).then(
    () => true,
    () => false,
  )
  return isThere ? readTable(file) : null
}

async function readTable(file: string): Promise<Table> {
  const text = await readFile(file, 'utf8')
  let records: { record: string[]; info: { lines: number } }[]
  try {
    records = parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      info: true,
      delimiter: delimiterOf(text),
    }) as unknown as typeof records
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    throw invalidData(
      `${file} is no table: ${cause.message.replace(/\.?$/, '.')} Give each line as many cells as the first one, and quote a cell that holds the delimiter.`,
      cause,
    )
  }
  const [first, ...rest] = records
  if (first === undefined) throw invalidData(`${file} is empty: it needs a header and rows.`)
  const header = first.record
  if (header.every((name) => name !== '' && Number.isFinite(Number(name)))) {
    throw invalidData(
      `${file} begins with numbers (${header.slice(0, 3).join(', ')}), not with the names of its columns: add a header.`,
    )
  }
  const twice = header.find((name, i) => name === '' || header.indexOf(name) !== i)
  if (twice !== undefined) {
    const what = twice === '' ? 'a column without a name' : `two columns "${twice}"`
    throw invalidData(`${file} has ${what}: give each a name of its own.`)
  }
  if (rest.length === 0) throw invalidData(`${file} has a header and no rows.`)
  const rows = rest.map(({ record, info }) => ({ line: info.lines, cells: record }))
  return { file, header, rows }
}

/** The one of the three that is most often in the header. */
function delimiterOf(text: string): string {
  const header = text.split('\n', 1)[0] ?? ''
  const count = (delimiter: string) => header.split(delimiter).length
  return [',', ';', '\t'].reduce((best, each) => (count(each) > count(best) ? each : best))
}

function labelColumn({ file, header }: Table, told: string | undefined): number {
  if (told === undefined) return header.length - 1
  const place = header.indexOf(told)
  if (place >= 0) return place
  throw invalidData(
    `${file} has no column "${told}" for the labels: --label takes one of ${header.join(', ')}.`,
  )
}

function findColumns(tables: readonly Table[], label: number): Column[] {
  const { file, header } = tables[0]!
  const rows = tables.flatMap((table) => table.rows.map((row) => ({ table, row })))
  return header.flatMap((name, place): Column[] => {
    if (place === label) return []
    const cells = rows.map((at) => ({ ...at, text: cellOf({ ...at, place }) }))
    const words = cells.filter(({ text }) => !isNumber(text))
    if (words.length === 0) return [{ name, categories: null }]
    if (words.length < cells.length / 2) {
      const { text, table, row } = words[0]!
      throw invalidData(
        `Line ${row.line} of ${table.file}, column "${name}": "${text}" is not a finite number, as other cells of this column are. Write a number, or words in all of them.`,
      )
    }
    const categories = [...new Set(cells.map(({ text }) => text))].sort()
    if (categories.length > MAX_CATEGORIES) {
      throw invalidData(
        `Column "${name}" of ${file} has ${categories.length} different words (${categories.slice(0, 3).join(', ')}, ...); ${MAX_CATEGORIES} are the most for categories. Remove it, or make numbers of it.`,
      )
    }
    return [{ name, categories }]
  })
}

interface Place {
  readonly table: Table
  readonly row: Row
  /** Of the column. */
  readonly place: number
}

/** @returns the place behind what was written */
function writeCell(values: Float32Array, at: number, column: Column, where: Place): number {
  const text = cellOf(where)
  const { name, categories } = column
  const { table, row } = where
  if (categories === null) {
    const value = Math.fround(Number(text))
    if (!isNumber(text) || !Number.isFinite(value)) {
      throw mismatch(
        `Line ${row.line} of ${table.file}, column "${name}": "${text}" is not a finite number, which it must be.`,
      )
    }
    values[at] = value
    return at + 1
  }
  const category = categories.indexOf(text)
  if (category < 0) {
    throw mismatch(
      `Line ${row.line} of ${table.file}, column "${name}": "${text}" is none of ${categories.join(', ')}.`,
    )
  }
  values[at + category] = 1
  return at + categories.length
}

function cellOf({ table, row, place }: Place): string {
  const text = row.cells[place]!
  if (!MISSING.has(text.toLowerCase())) return text
  throw invalidData(
    `Line ${row.line} of ${table.file} has no value in column "${table.header[place]!}"${text === '' ? '' : ` ("${text}")`}: fill it in, or remove the row.`,
  )
}

const isNumber = (text: string): boolean => Number.isFinite(Number(text))

function classLabels(table: Table, label: number): string[] {
  const texts = table.rows.map((row) => cellOf({ table, row, place: label }))
  // 3 and 3.0 are the same class.
  return texts.every(isNumber) ? texts.map((text) => String(Number(text))) : texts
}

/** Labels that are numbers but no whole ones are measurements: nothing to classify. */
function assertAreClasses(table: Table, label: number, names: readonly string[]): void {
  const name = table.header[label]!
  if (names.every(isNumber)) {
    const wrong = classLabels(table, label).findIndex((each) => !/^\d+$/.test(each))
    if (wrong >= 0) {
      const { line, cells } = table.rows[wrong]!
      throw invalidData(
        `Line ${line} of ${table.file}, column "${name}": the label ${cells[label]!} is no whole number from 0. Labels are class numbers or names; --label chooses another column.`,
      )
    }
  }
  if (names.length > 20 && names.length > table.rows.length / 2) {
    throw invalidData(
      `Column "${name}" of ${table.file} has ${names.length} classes in ${table.rows.length} rows: are these labels? --label chooses another column.`,
    )
  }
}

function placeOf({ file, header }: Table, name: string): number {
  const place = header.indexOf(name)
  if (place >= 0) return place
  throw mismatch(`${file} has no column "${name}", which the run has; it has ${header.join(', ')}.`)
}

function assertNoOthers({ file, header }: Table, known: readonly number[]): void {
  const other = header.find((_, place) => !known.includes(place))
  if (other === undefined) return
  throw mismatch(`${file} has a column "${other}", which the run has not: remove it.`)
}

/** Columns that were found here fit by themselves: only those that were told can differ. */
function mismatch(problem: string): GraftError {
  return new GraftError('GRAFT_DATA_MISMATCH', problem)
}
