import type { EncodingReport } from '../../shared/protocol/run-report.ts'

/** As in `int8, as clients get it: -0.02 points, 3.9 times fewer bytes`. */
export function encodingLine(
  { name, accuracy, modelBytes, float32Bytes }: EncodingReport,
  published: { readonly accuracy: number },
): string {
  const points = 100 * (accuracy - published.accuracy)
  // No sign before what is nothing.
  const shown = Math.abs(points) < 0.005 ? '0.00' : `${points > 0 ? '+' : ''}${points.toFixed(2)}`
  return `${name}, as clients get it: ${shown} points, ${(float32Bytes / modelBytes).toFixed(1)} times fewer bytes`
}
