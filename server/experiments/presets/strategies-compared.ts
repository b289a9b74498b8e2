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

/** What others do with the same updates. A new rival is a word here. */
export const RIVALS = ['fedavg', 'feddf', 'median', 'trimmed-mean', 'krum'] as const
