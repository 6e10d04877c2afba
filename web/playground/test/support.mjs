// Helpers of the page's tests. Each test has a page of its own, in a new profile. It fails if the page sends a request to
// another machine, breaks its content security policy, throws, or writes an error to the console that the test does not expect.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { chromium } from 'playwright-core'

const { CHROMIUM, DEMO, SCREENSHOTS } = process.env

export const demo = DEMO // the base URL of a demo server
export const token = 'demo-token'
export const desktop = { width: 1280, height: 800 }
export const phone = { width: 390, height: 844 }

/** Starts a browser. Chromium's sandbox does not work for root. */
export function launch(...more) {
  const unsandboxed = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', ...unsandboxed, ...more],
  })
}

const browser = await launch()
test.after(() => browser.close())

/** Runs a test with a new page. `expected` are patterns of lines that the console may contain. */
export function onPage(name, run, { viewport = desktop, expected = [], ...more } = {}) {
  return test(name, async (t) => {
    const context = await browser.newContext({ viewport, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'], ...more })
    const problems = []
    context.setDefaultTimeout(20_000)
    context.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url())
      if (!['data:', 'blob:'].includes(protocol) && hostname !== '127.0.0.1') problems.push(`a request to ${request.url()}`)
    })
    context.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return
      if (!expected.some((pattern) => pattern.test(message.text()))) problems.push(`console ${message.type()}: ${message.text()}`)
    })
    context.on('weberror', (error) => problems.push(`uncaught: ${error.error().stack}`))
    await context.exposeFunction('reportViolation', (text) => problems.push(`content security policy: ${text}`))
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))
    })
    try {
      const page = await context.newPage()
      await run(page, t)
      assert.deepEqual(problems, [])
    } catch (error) {
      for (const problem of problems) t.diagnostic(problem)
      throw error
    } finally {
      await context.close()
    }
  })
}

/** Opens the page, with a query in a new tab if there is one, and waits until the schema is known. */
export async function open(page, query = '', variables) {
  const parts = new URLSearchParams(query && { query, ...(variables && { variables: JSON.stringify(variables) }) })
  await page.goto(`${demo}/${query && '#' + parts.toString().replaceAll('+', '%20')}`)
  await ready(page)
  if (query) await page.waitForFunction(() => location.hash === '')
}

/** Waits until the editor can be used and the schema is known. */
export async function ready(page) {
  await page.locator('.graphiql-query-editor .view-line').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('.graphiql-spinner'))
}

/** Opens a link in the page that is already open, as a click on it does. */
export async function follow(page, query) {
  await page.evaluate((fragment) => { location.hash = fragment }, 'query=' + encodeURIComponent(query))
  await page.waitForFunction(() => location.hash === '')
}

export const run = (page) => page.locator('.graphiql-execute-button').click()

/** The visible text of an editor. */
export async function textOf(page, name) {
  const selector = { query: '.graphiql-query-editor .view-line', variables: '.graphiql-editor-tool .graphiql-editor:not(.hidden) .view-line', response: '.result-window .view-line' }[name]
  const lines = await page.locator(selector).evaluateAll((all) =>
    all.map((line) => [parseInt(line.style.top), line.textContent.replaceAll('\u00a0', ' ')]).sort((a, b) => a[0] - b[0]).map(([, text]) => text))
  return lines.join('\n')
}

/** Waits until an editor shows a text that matches. */
export async function shows(page, name, pattern) {
  let text = ''
  for (const end = Date.now() + 20_000; Date.now() < end; await page.waitForFunction(() => new Promise((done) => requestAnimationFrame(() => done(true))))) {
    text = await textOf(page, name)
    if (pattern.test(text)) return text
  }
  assert.match(text, pattern)
}

/** Opens a view below the response. */
export async function view(page, name) {
  const tab = page.getByRole('tab', { name, exact: true })
  if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click()
  return page.locator('.result-panel > [role=tabpanel]')
}

export async function useToken(page, text = token) {
  await page.getByRole('button', { name: 'Use a token' }).click()
  await page.getByLabel('Access token', { exact: true }).fill(text)
  await page.getByRole('button', { name: 'Use', exact: true }).click()
}

/** Fails if a token is in a place that outlives the page, or that other pages and servers can see. */
export async function keepsSecret(page, secret = token) {
  const places = await page.evaluate(() => ({
    local: JSON.stringify({ ...localStorage }),
    session: JSON.stringify({ ...sessionStorage }),
    address: location.href,
    history: JSON.stringify(history.state),
    cookie: document.cookie,
    name: window.name,
  }))
  for (const [place, text] of Object.entries(places)) assert.ok(!String(text).includes(secret), `the token is in ${place}: ${text}`)
  return places
}

/** Saves a picture for the documentation if the tests run with -update-screenshots. */
export async function screenshot(page, name) {
  if (!SCREENSHOTS) return
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.mouse.move(0, 0)
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled', caret: 'hide' })
}
