import { options } from './options'
import { store } from './store'

/**
 * Whether the page may load pictures. On the live API they come from Mixcloud's host, so they wait until the user opens a view
 * that shows them.
 */
export const pictures = store(options.demo)
