// A program: an operator with the console's overview and its list of clients open. It hears the live feed, and asks again for
// what those pages would. The process that started it says `look` and `leave`.
import { followFederation } from '../../client/watch/operator-feed.ts'

const [server = '', token = ''] = process.argv.slice(2)
/** What the console asks for again when the round is another one. */
const LISTS = ['runs', 'clients']

let leaving = new AbortController()
let heard = 0

function look(): void {
  leaving = new AbortController()
  const { signal } = leaving
  const fail = (error: unknown) => {
    if (signal.aborted) return
    console.error(error)
    process.exit(1)
  }
  let place = ''
  followFederation({
    ...{ server, token, signal },
    onNews(news) {
      heard += 1
      if (news.type !== 'federation') return
      const { run, round } = news.federation
      const now = `${run ?? ''} ${round?.round ?? ''}`
      if (now === place) return
      place = now
      for (const list of LISTS) ask(list, signal).catch(fail)
    },
  }).catch(fail)
}

async function ask(list: string, signal: AbortSignal): Promise<void> {
  const url = new URL(`/api/v1/${list}?limit=200`, server)
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal })
  const text = await response.text()
  if (!response.ok) throw new Error(`${list}: ${response.status} ${text}`)
}

process.on('message', (wish) => {
  if (wish === 'look') look()
  else {
    leaving.abort()
    process.send?.({ heard })
  }
})
process.on('disconnect', () => process.exit())
