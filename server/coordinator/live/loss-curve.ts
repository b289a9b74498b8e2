/** Most points of a curve; see `ClientLane.losses`. */
const MOST_POINTS = 200

/** Losses in the order in which they were told, thinned out evenly: of a long training every 2nd, 4th, 8th one. */
export interface LossCurve {
  readonly add: (loss: number) => void
  readonly points: () => number[]
}

export function createLossCurve(mostPoints: number = MOST_POINTS): LossCurve {
  let points: number[] = []
  let told = 0
  let stride = 1
  return {
    add(loss) {
      if (told++ % stride !== 0) return
      points.push(loss)
      if (points.length < mostPoints) return
      points = points.filter((_, i) => i % 2 === 0)
      stride *= 2
    },
    points: () => [...points],
  }
}
