import { goCode } from './go'
import { apollo, relay, urql } from './libraries'
import { curl, fetchCode } from './plain'
import type { Request } from './request'

/** The formats in which an operation can be copied. */
export const formats: { name: string; code(request: Request): string }[] = [
  { name: 'curl', code: curl },
  { name: 'fetch', code: fetchCode },
  { name: 'Relay', code: relay },
  { name: 'Apollo', code: apollo },
  { name: 'urql', code: urql },
  { name: 'Go', code: goCode },
]
