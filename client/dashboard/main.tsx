import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router/dom'
import { createApi, ProblemError } from './lib/api.ts'
import { ApiContext } from './lib/use-api.ts'
import { applyTheme } from './lib/use-theme.ts'
import { createRouter } from './router.tsx'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/controls.css'
import './styles/pictures.css'
import './styles/fusion.css'

applyTheme()

const api = createApi((...request) => fetch(...request))
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the coordinator has explained does not get better by asking again.
      retry: (count, error) => !(error instanceof ProblemError) && count < 2,
    },
  },
})

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <ApiContext value={api}>
        <RouterProvider router={createRouter()} />
      </ApiContext>
    </QueryClientProvider>
  </StrictMode>,
)
