/** Where claims come from. */
export const NT = 'NT (arXiv 2502.06849), abstract'
export const NI = 'NI (arXiv 2507.00037), abstract'
/** What NT's authors note in the scripts that the paper's numbers come from. */
export const ntCode = (file: string): string => `NT's code, experiments/${file}`
/** No paper's: what somebody who has to choose would ask. */
export const OURS = 'a question of ours'
