import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

// GraphiQL's style sheet contains its fonts as data. The page uses the fonts of the system instead, which saves 330 kB
// and a rule of the content security policy.
function withoutFonts(): Plugin {
  return {
    name: 'without-fonts',
    enforce: 'pre',
    transform(code, id) {
      if (!/graphiql.*\.css$/.test(id.split('?')[0] ?? '')) return undefined
      return { code: code.replace(/@font-face\s*\{[^{}]*\}/g, ''), map: null }
    },
  }
}

export default defineConfig({
  base: '/playground/',
  plugins: [withoutFonts(), react()],
  worker: { format: 'es' },
  server: { proxy: { '/graphql': 'http://127.0.0.1:8080', '/oauth': 'http://127.0.0.1:8080', '/emulator': 'http://127.0.0.1:8080' } },
  build: {
    assetsDir: '.',
    assetsInlineLimit: 0,
    target: 'es2022',
    chunkSizeWarningLimit: 4000,
    modulePreload: { polyfill: false },
    rolldownOptions: { onwarn: (warning, warn) => warning.code !== 'MODULE_LEVEL_DIRECTIVE' && warn(warning) },
  },
})
