import { options } from './options'
import { store } from './store'

/**
 * Whether the page may load pictures. On the live API, Mixcloud's host serves them, so the page loads them only after the user has
 * opened a view that shows pictures.
 */
export const pictures = store(options.demo)
