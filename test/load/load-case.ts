import { GraftError } from '../../shared/errors.ts'

/** Clients, and a model of about so many megabytes (10^6 bytes). */
export interface LoadCase {
  readonly clients: number
  readonly megabytes: number
  readonly rounds: number
}

const BYTES = 4
/** Those of MNIST. */
export const INPUTS = 784
export const CLASSES = 10
/** Above that, two hidden layers: one would be wider than any network is. */
const ONE_LAYER_MB = 20

/**
 * @param text as in `200x0.22`, or `200x0.22x50` with 50 rounds
 * @throws GraftError GRAFT_OPTION_INVALID
 */
export function parseCase(text: string, rounds: number): LoadCase {
  const match = /^([1-9]\d*)x(\d+(?:\.\d+)?)(?:x([1-9]\d*))?$/.exec(text)
  if (match === null || Number(match[2]) === 0) {
    const problem = `--case ${text} is not CLIENTSxMEGABYTES[xROUNDS], as in 200x0.22.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
  const [, clients, megabytes, own] = match
  return {
    clients: Number(clients),
    megabytes: Number(megabytes),
    rounds: own === undefined ? rounds : Number(own),
  }
}

export const nameOf = ({ clients, megabytes }: LoadCase): string => `${clients} x ${megabytes} MB`

/** A perceptron of that size. */
export function modelOf({ megabytes }: LoadCase): string {
  const weights = (megabytes * 1e6) / BYTES
  const perNeuron = INPUTS + CLASSES + 1
  if (megabytes <= ONE_LAYER_MB) {
    return spec([Math.max(1, Math.round((weights - CLASSES) / perNeuron))])
  }
  // width^2 + (perNeuron + 1) width = weights
  const half = (perNeuron + 1) / 2
  const width = Math.round(Math.sqrt(half * half + weights) - half)
  return spec([width, width])
}

const spec = (hidden: readonly number[]): string => `mlp:${[INPUTS, ...hidden, CLASSES].join('-')}`
