import { GraftError } from '../../errors.ts'
import type { Rng } from '../../numeric/rng.ts'

/** Which clients of a run something is done to; clients count from 0, in the order of their ids. */
export interface ClientChoice {
  /**
   * @param clients how many the run has
   * @param rng draws them where nobody named them
   * @throws GraftError GRAFT_OPTION_INVALID when a client is named that the run does not have
   */
  choose(clients: number, rng: Rng): ReadonlySet<number>
}

/** How it is written, for help and messages. */
export const CLIENT_CHOICE_USAGE = 'all, 0,2,5, first:N, last:N or random:N'

export const ALL_CLIENTS: ClientChoice = { choose: (clients) => new Set(everyOf(clients)) }

/** @throws GraftError GRAFT_OPTION_INVALID naming what is allowed, when `text` is no choice */
export function parseClientChoice(text: string): ClientChoice {
  if (text === 'all') return ALL_CLIENTS
  if (/^\d{1,5}(,\d{1,5})*$/.test(text)) return listed(text.split(',').map(Number))
  const [, how, number] = /^(first|last|random):([1-9]\d{0,4})$/.exec(text) ?? []
  const count = Number(number)
  switch (how ?? 'nobody') {
    case 'first':
      return counted(count, (clients) => everyOf(clients))
    case 'last':
      return counted(count, (clients) => everyOf(clients).reverse())
    case 'random':
      return counted(count, (clients, rng) => rng.shuffle(everyOf(clients)))
    default:
      throw invalid(`The clients "${text}" are not allowed: write ${CLIENT_CHOICE_USAGE}.`)
  }
}

function listed(named: readonly number[]): ClientChoice {
  return {
    choose(clients) {
      const beyond = named.find((client) => client >= clients)
      if (beyond !== undefined) {
        throw invalid(`There is no client ${beyond} of ${clients}: they count from 0.`)
      }
      return new Set(named)
    },
  }
}

function counted(count: number, order: (clients: number, rng: Rng) => number[]): ClientChoice {
  return {
    choose(clients, rng) {
      if (count > clients) throw invalid(`There are not ${count} clients in ${clients}.`)
      return new Set(order(clients, rng).slice(0, count))
    },
  }
}

function everyOf(clients: number): number[] {
  return Array.from({ length: clients }, (_, client) => client)
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_OPTION_INVALID', problem)
}
