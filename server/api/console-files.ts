import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { ApiApp } from './api-app.ts'
import type { SendPage } from './send-page.ts'

const FOREVER = 'public, max-age=31536000, immutable'

/** Paths that are not the console's: an unknown one among them is unknown, and no page. */
const NOT_PAGES = /^\/(api|healthz|readyz|metrics|socket\.io|assets)(\/|$)/

/**
 * Serves the console as Vite built it. Files in `assets/` have a hash of their content in their names and may be kept for ever;
 * the page that names them is asked for each time.
 */
export async function addConsoleFiles(app: ApiApp, folder: string): Promise<SendPage> {
  const page = await readFile(join(folder, 'index.html')).catch(toNull)
  if (page !== null) {
    await app.register(async (scope) => {
      // Whoever wants to sign in has to see the page first.
      scope.addHook('onRoute', (route) => {
        route.config = { ...route.config, access: 'anybody' }
      })
      await scope.register(fastifyStatic, {
        root: folder,
        // Unknown paths go to the handler of unknown routes, which may answer with the page.
        wildcard: false,
        index: false,
        cacheControl: false,
        setHeaders(response, path) {
          const isHashed = relative(folder, path).startsWith('assets')
          response.header('cache-control', isHashed ? FOREVER : 'no-cache')
        },
      })
    })
  }

  return (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    const isPage = (request.method === 'GET' || request.method === 'HEAD') && !NOT_PAGES.test(path)
    if (!isPage) return null
    reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache')
    return page === null ? reply.code(503).send(NOT_BUILT) : reply.code(200).send(page)
  }
}

/** Vite has not built it. */
function toNull(error: NodeJS.ErrnoException): null {
  if (error.code !== 'ENOENT') throw error
  return null
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Graft</title>
<h1>The console is not built</h1>
<p>Run <code>npm run build</code> in Graft's folder, and start the coordinator again. The HTTP API works without it:
<a href="/api/v1/reference">its reference</a>.</p>
</html>
`
