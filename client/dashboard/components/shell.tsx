import { Dialog, Tooltip } from 'radix-ui'
import { Suspense, useState } from 'react'
import { Link, NavLink, Outlet } from 'react-router'
import { aboutSeconds } from '../lib/format.ts'
import type { Connection } from '../lib/live-state.ts'
import { PHASE_LABELS } from '../lib/labels.ts'
import { useSession } from '../lib/use-api.ts'
import { useLive } from '../lib/use-live.ts'
import { useRefresh } from '../lib/use-refresh.ts'
import { Skeleton } from './ui/loaded.tsx'
import { Toasts } from './ui/toasts.tsx'

const PLACES = [
  ['/', 'Overview'],
  ['/runs', 'Runs'],
  ['/clients', 'Clients'],
  ['/models', 'Models'],
  ['/quarantine', 'Quarantine'],
  ['/tokens', 'Tokens'],
  ['/audit', 'Audit'],
  ['/settings', 'Settings'],
] as const

/** What stands around every page: where one can go, what is going on, and whether the page hears of it. */
export function Shell() {
  useRefresh()
  return (
    <Tooltip.Provider>
      <Toasts>
        <a className="skip" href="#main">
          Skip to the page
        </a>
        <div className="shell">
          <aside className="side">
            <div>
              <Brand />
              <Places />
              <Who />
            </div>
          </aside>
          <div className="body">
            <header className="top">
              <PhoneMenu />
              <Now />
              <Heard />
            </header>
            <main id="main" tabIndex={-1}>
              <Cut />
              <Suspense fallback={<Skeleton lines={8} />}>
                <Outlet />
              </Suspense>
            </main>
          </div>
        </div>
      </Toasts>
    </Tooltip.Provider>
  )
}

function Brand() {
  return (
    <Link to="/" className="brand">
      <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
        <path d="M8 4v9c0 5 4 6 8 6v9M24 4v9c0 5-4 6-8 6" />
      </svg>
      Graft
    </Link>
  )
}

function Places({ onGo }: { readonly onGo?: () => void }) {
  const setAside = useLive(({ federation }) => federation?.clients.quarantined ?? 0)
  return (
    <nav aria-label="Pages">
      <ul>
        {PLACES.map(([to, name]) => (
          <li key={to}>
            <NavLink to={to} end={to === '/'} {...(onGo !== undefined && { onClick: onGo })}>
              {name}
              {to === '/quarantine' && setAside > 0 && (
                <span className="count">
                  {setAside}
                  <span className="visually-hidden"> set aside</span>
                </span>
              )}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Who() {
  const { label, role } = useSession()
  return (
    <p className="who">
      {label}
      <small>{role}</small>
    </p>
  )
}

function PhoneMenu() {
  const [isOpen, setOpen] = useState(false)
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger className="button quiet menu" aria-label="Menu">
        <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
          <path d="M2 5h14M2 9h14M2 13h14" stroke="currentColor" strokeWidth="1.6" />
        </svg>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="drawer" aria-describedby={undefined}>
          <Dialog.Title className="visually-hidden">Menu</Dialog.Title>
          <Brand />
          <Places onGo={() => setOpen(false)} />
          <Who />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

/** In one line what the federation does, wherever one is. */
function Now() {
  const federation = useLive((state) => state.federation)
  if (federation === null) return <p className="now">…</p>
  const { round, isPaused, run } = federation
  if (round === null)
    return (
      <p className="now">
        {run === null ? 'No run is going on' : isPaused ? 'Paused' : 'Between rounds'}
      </p>
    )
  const left = round.remainingSeconds
  return (
    <p className="now">
      <Link to={`/runs/${round.run}/rounds/${round.round}`}>Round {round.round}</Link>
      <span>
        {PHASE_LABELS[round.phase].doing}
        {isPaused ? ', then paused' : ''}
      </span>
      {left !== null && left > 0 && <small>{aboutSeconds(left)} left</small>}
    </p>
  )
}

const HEARD = {
  connecting: ['quiet', 'Connecting'],
  live: ['good', 'Live'],
  reconnecting: ['warn', 'Reconnecting'],
  away: ['bad', 'Offline'],
  refused: ['bad', 'Not live'],
} as const satisfies Record<Connection, readonly [string, string]>

function Heard() {
  const connection = useLive((state) => state.connection)
  const [tone, text] = HEARD[connection]
  return (
    <p className={`heard ${tone}`} role="status">
      {text}
    </p>
  )
}

/** What it means for the page that nothing is heard. */
function Cut() {
  const connection = useLive((state) => state.connection)
  switch (connection) {
    case 'connecting':
    case 'live':
      return null
    case 'reconnecting':
      return (
        <p className="cut" role="status">
          The coordinator does not answer. What you see is from before; the page goes on by itself
          as soon as it is back.
        </p>
      )
    case 'away':
      return (
        <p className="cut" role="status">
          This device is offline. What you see is from before; the page goes on by itself as soon as
          there is a network.
        </p>
      )
    case 'refused':
      return (
        <p className="cut" role="status">
          The coordinator has ended this session’s live feed. <a href="/">Reload the page</a> to
          sign in again.
        </p>
      )
  }
}
