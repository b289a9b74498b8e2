import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The operator console, which the coordinator serves from `dist/dashboard`. */
export default defineConfig({
  root: here('client/dashboard'),
  plugins: [react()],
  build: {
    outDir: here('dist/dashboard'),
    emptyOutDir: true,
    // `light-dark()` and nested rules as they are written.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // The page's policy allows no data: URLs.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  // For `npx vite`: a coordinator beside it answers.
  server: { proxy: { '/api': 'http://127.0.0.1:7433', '/socket.io': 'http://127.0.0.1:7433' } },
})
