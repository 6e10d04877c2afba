/** The server's options for the page: internal/playground.Options. */
export interface Options {
  /** Whether users can sign in at /oauth/login. */
  signIn: boolean
  /** Whether the server uses the emulator. */
  demo: boolean
  /** Whether the server returns traces. */
  trace: boolean
  /** The maximum number of calls to Mixcloud for one operation. */
  budget: number
  /** The URL of the player's page; '' if there is none. */
  player: string
}

const element = document.querySelector<HTMLMetaElement>('meta[name=options]')

export const options: Options = { signIn: false, demo: false, trace: false, budget: 200, player: '', ...JSON.parse(element?.content || '{}') }
