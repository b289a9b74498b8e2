import { colorsOf, sizeOfTerminal, type TextStream } from '../../shared/command/text-stream.ts'
import { liveBlock } from '../../shared/terminal/live-block.ts'
import { followFederation } from './operator-feed.ts'
import { watchLines } from './watch-lines.ts'
import { learn, NOTHING_SEEN, type WatchNews } from './watch-state.ts'

/** Milliseconds between two looks at whether anything has changed. */
const REDRAW_MS = 250

export interface WatchedPlace {
  readonly server: string
  readonly token: string
  readonly screen: TextStream
  readonly signal: AbortSignal
}

/**
 * On a terminal a screen that is redrawn in place; into a file or a pipe, a line for each stored event.
 *
 * @throws GraftError as `followFederation` does; the reason of the signal
 */
export async function watch({ server, token, screen, signal }: WatchedPlace): Promise<void> {
  const follow = (onNews: (news: WatchNews) => void) =>
    followFederation({ server, token, onNews, signal })
  if (screen.isTTY !== true) {
    await follow((news) => {
      if (news.type === 'event') screen.write(`${news.event.at} ${news.event.text}\n`)
    })
    return
  }
  const block = liveBlock(screen)
  const colors = colorsOf(screen)
  let state = NOTHING_SEEN
  const draw = () => {
    block.draw(watchLines(state, { ...sizeOfTerminal(screen), colors, now: Date.now() }))
  }
  const timer = setInterval(draw, REDRAW_MS)
  try {
    draw()
    await follow((news) => {
      state = learn(state, news)
    })
  } finally {
    clearInterval(timer)
  }
}
