/** The paper's own form; ours also knows the parents' weights and the classes' shares. */
const PAPER = ':prior=none:head=scores'

export const HF = `hf-linear${PAPER}`
export const KF = `kf-linear${PAPER}`
export const KF_GRADIENT = 'kf-gradient'
/** What the paper compares with. */
export const EARLIER = ['fedavg', 'otfusion', 'git-rebasin'] as const
/** Everything that the NI presets fuse by. */
export const NI_METHODS = [...EARLIER, 'nt', HF, KF, 'kf-linear', KF_GRADIENT] as const
