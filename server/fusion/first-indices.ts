/** 0 to length - 1. */
export const firstIndices = (length: number): Int32Array =>
  Int32Array.from({ length }, (_, index) => index)
