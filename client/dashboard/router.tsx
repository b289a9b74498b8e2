import { createBrowserRouter } from 'react-router'
import { SignedInOnly } from './components/signed-in-only.tsx'
import { Broken } from './routes/broken.tsx'
import { Overview } from './routes/overview.tsx'
import { SignIn } from './routes/sign-in.tsx'

/** Every page with its address. The overview comes with the first load, the others when they are opened. */
export function createRouter() {
  return createBrowserRouter([
    { path: '/sign-in', Component: SignIn, ErrorBoundary: Broken },
    {
      Component: SignedInOnly,
      ErrorBoundary: Broken,
      HydrateFallback: () => null,
      children: [
        {
          ErrorBoundary: Broken,
          children: [
            { index: true, Component: Overview },
            {
              path: 'runs',
              lazy: async () => ({ Component: (await import('./routes/runs.tsx')).Runs }),
            },
            {
              path: 'runs/new',
              lazy: async () => ({ Component: (await import('./routes/new-run.tsx')).NewRun }),
            },
            {
              path: 'runs/:run',
              lazy: async () => ({ Component: (await import('./routes/run.tsx')).Run }),
            },
            {
              path: 'runs/:run/rounds/:round',
              lazy: async () => ({ Component: (await import('./routes/round.tsx')).Round }),
            },
            {
              path: 'runs/:run/rounds/:round/fusion',
              lazy: async () => ({ Component: (await import('./routes/fusion.tsx')).Fusion }),
            },
            {
              path: 'clients',
              lazy: async () => ({ Component: (await import('./routes/clients.tsx')).Clients }),
            },
            {
              path: 'clients/:client',
              lazy: async () => ({ Component: (await import('./routes/client.tsx')).Client }),
            },
            {
              path: 'models',
              lazy: async () => ({ Component: (await import('./routes/models.tsx')).Models }),
            },
            {
              path: 'quarantine',
              lazy: async () => ({
                Component: (await import('./routes/quarantine.tsx')).Quarantine,
              }),
            },
            {
              path: 'tokens',
              lazy: async () => ({ Component: (await import('./routes/tokens.tsx')).Tokens }),
            },
            {
              path: 'audit',
              lazy: async () => ({ Component: (await import('./routes/audit.tsx')).Audit }),
            },
            {
              path: 'settings',
              lazy: async () => ({ Component: (await import('./routes/settings.tsx')).Settings }),
            },
            {
              path: '*',
              lazy: async () => ({ Component: (await import('./routes/not-found.tsx')).NotFound }),
            },
          ],
        },
      ],
    },
  ])
}
