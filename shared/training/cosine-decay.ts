/**
 * Half a cosine from 1 to 0: the share of the learning rate at each step. SGDR without restarts,
 * Loshchilov & Hutter 2016 (arXiv 1608.03983), equation 5.
 *
 * @param steps of the whole training, > 0
 * @returns by step, 0-based
 */
export function cosineDecay(steps: number): (step: number) => number {
  return (step) => 0.5 * (1 + Math.cos((Math.PI * step) / steps))
}
