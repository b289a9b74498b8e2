/**
 * Steps of `fit` over all its epochs: the last one of an epoch takes the examples that are left. The coordinator
 * counts the steps of its clients by it, too.
 */
export function countSteps(
  numExamples: number,
  { epochs, batchSize }: { readonly epochs: number; readonly batchSize: number },
): number {
  return epochs * Math.ceil(numExamples / batchSize)
}
