import './workers'
import 'graphiql/style.css'
import '@graphiql/plugin-explorer/style.css'
import './page.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { correctMarkup } from './accessibility'
import { App } from './App'
import { markCosts } from './descriptions'

const root = document.getElementById('root')
if (root) {
  correctMarkup(root)
  markCosts()
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
