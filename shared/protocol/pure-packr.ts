import type * as msgpackr from 'msgpackr'
import * as pure from 'msgpackr/pack'

/**
 * msgpackr without its native addon, which `msgpackr` loads to extract strings: ours are few, short and
 * from strangers. The types of `msgpackr/pack` 2.1 point at a folder, which TypeScript does not resolve
 * in an ES module, so they are taken from the package's root.
 */
export const Packr = pure.Packr as typeof msgpackr.Packr
