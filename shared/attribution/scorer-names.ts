/** Names of the scorers, apart from their code: settings that only name one need no tensors. */
export const SCORER_NAMES = ['conductance', 'deeplift', 'ablation', 'uniform'] as const
export type ScorerName = (typeof SCORER_NAMES)[number]
