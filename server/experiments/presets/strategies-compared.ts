/** What the two papers and Graft bring to federations of any number of clients. */
export const FUSIONS = [
  'nt',
  'nt:importance=attribution',
  'kf-linear',
  'kf-gradient',
  'otfusion',
  'git-rebasin',
  'auto',
] as const

/** What others do with the same updates, or ask of local training; no round goes before, so nothing is carried on. */
export const RIVALS = ['fedavg', 'fedprox', 'feddf', 'median', 'trimmed-mean', 'krum'] as const

/** What others do over many rounds. */
export const RIVALS_IN_ROUNDS = [
  'fedavg',
  'fedprox',
  'fedavgm',
  'fedadam',
  'feddf',
  'scaffold',
] as const
