// The estimate while typing, a refusal, and its correction with one click.
import assert from 'node:assert/strict'
import { onPage, open, run, screenshot, shows, view } from './support.mjs'

const header = '.graphiql-session-header'
const literal = '{ popular(first: 100) { nodes { name comments(first: 100) { nodes { user { biog } } } } } }'

onPage('the estimate follows the query, and running shows the calls', async (page) => {
  await open(page, '{ user(username: "spartacus") { name } }')
  await page.locator(header).getByText('at most 1 of 200 calls').waitFor()
  await run(page)
  await shows(page, 'response', /Spartacus/)
  const cost = await view(page, 'Cost')
  await cost.getByText('Calls to Mixcloud').waitFor()
  assert.match(await cost.innerText(), /Estimate\s+1 of 200/)
})

onPage('an operation over its budget is refused, and one click makes it fit', async (page) => {
  await open(page, literal)
  const fix = page.locator(header).getByRole('button', { name: /^Reduce/ })
  await fix.waitFor()
  await run(page)
  await shows(page, 'response', /"code": "LIMIT_EXCEEDED"/)
  const cost = await view(page, 'Cost')
  await cost.getByRole('button', { name: /^Reduce/ }).waitFor()
  await screenshot(page, 'refusal')
  await fix.click()
  await fix.waitFor({ state: 'detached' })
  await page.locator(header).getByText(/at most \d+ of 200 calls/).waitFor()
  await run(page)
  await shows(page, 'response', /"data":/)
}, { expected: [/status of 4\d\d/] })

onPage('the correction sets a variable if the argument is one', async (page) => {
  await open(page, 'query Big($n: Int) { popular(first: $n) { nodes { comments(first: 100) { nodes { user { biog } } } } } }', { n: 100 })
  await page.locator(header).getByRole('button', { name: /^Reduce/ }).click()
  await page.locator(header).getByText(/at most \d+ of 200 calls/).waitFor()
  await page.locator(header).getByRole('button', { name: /^Reduce/ }).waitFor({ state: 'detached' })
})
