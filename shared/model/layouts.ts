/** How the tensors of a file are named and laid out: Graft's own way, or PyTorch's. */
export const LAYOUTS = ['tf', 'torch'] as const
export type Layout = (typeof LAYOUTS)[number]
