// The page on phones, in dark and light mode, and in browsers without modules or JavaScript.
import assert from 'node:assert/strict'
import test from 'node:test'
import { demo, launch, onPage, open, phone, ready, run, screenshot, shows, view } from './support.mjs'

const query = 'query Front {\n  popular(first: 3) {\n    nodes { name user { name } picture(size: W320) { url } }\n  }\n}'

const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

onPage('a phone shows the page without scrolling sideways', async (page) => {
  await open(page, query)
  assert.equal(await overflow(page), 0)
  await run(page)
  await shows(page, 'response', /"nodes":/)
  for (const name of ['See it', 'Waterfall', 'Cost', 'Events']) {
    await page.getByRole('tab', { name, exact: true }).click()
    assert.equal(await overflow(page), 0, `with the view ${name}`)
  }
  const seen = await view(page, 'See it')
  await seen.locator('img').first().waitFor()
  await page.getByRole('tablist', { name: 'Views of the result' }).evaluate((element) => element.scrollIntoView())
  await screenshot(page, 'phone')
  for (const name of ['Show Documentation Explorer', 'Show Gallery', 'Show History', 'Show GraphiQL Explorer']) {
    await page.getByLabel(name).click()
    await page.locator('.graphiql-plugin').waitFor()
    assert.equal(await overflow(page), 0, name)
  }
}, { viewport: phone })

for (const colorScheme of ['light', 'dark']) {
  onPage(`the page is ${colorScheme} if the system is`, async (page) => {
    await open(page, query)
    const brightness = await page.evaluate(() => {
      const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)
      return (r + g + b) / 765
    })
    assert.ok(colorScheme === 'dark' ? brightness < 0.3 : brightness > 0.8, `brightness ${brightness}`)
    const editor = await page.locator('.graphiql-query-editor .monaco-editor').first().getAttribute('class')
    assert.match(editor, colorScheme === 'dark' ? /\bvs-dark\b|\bhc-black\b/ : /\bvs\b/)
  }, { colorScheme })
}

onPage('a browser without modules gets the small page, with the link\'s query', async (page) => {
  await page.route((url) => url.pathname === '/', async (route) => {
    const response = await route.fetch()
    const html = (await response.text()).replace(/<script type="module"[^>]*><\/script>/g, '').replace('<script nomodule ', '<script ')
    await route.fulfill({ response, body: html })
  })
  await page.goto(`${demo}/#query=${encodeURIComponent('{ user(username: "spartacus") { city } }')}`)
  await page.waitForURL(/\?plain/)
  assert.match(await page.locator('#query').inputValue(), /spartacus/)
  await page.getByRole('button', { name: /Run/ }).click()
  await page.getByText('"London"').waitFor()
})

onPage('the small page runs a query', async (page) => {
  await page.goto(`${demo}/?plain`)
  await page.locator('#query').fill('{ user(username: "spartacus") { city } }')
  await page.keyboard.press('Control+Enter')
  await page.getByText('"London"').waitFor()
})

test('a browser without JavaScript shows where the API is', async () => {
  const browser = await launch('--blink-settings=scriptEnabled=false')
  try {
    const page = await browser.newPage()
    await page.goto(demo)
    const session = await page.context().newCDPSession(page)
    const { nodes } = await session.send('Accessibility.getFullAXTree') // which takes no script in the page
    const texts = nodes.filter(({ ignored }) => !ignored).map(({ name }) => name?.value ?? '')
    assert.ok(texts.some((text) => text.includes('This page needs JavaScript.')), JSON.stringify(texts))
    assert.ok(texts.includes('/schema.graphql'), JSON.stringify(texts))
  } finally {
    await browser.close()
  }
})

onPage('the page opens quickly, and is small', async (page, t) => {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  let bytes = 0
  session.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength })
  const start = Date.now()
  await page.goto(demo)
  await ready(page)
  const milliseconds = Date.now() - start
  await page.waitForLoadState('networkidle')
  t.diagnostic(`interactive after ${milliseconds} ms (aim: 2000), ${bytes} compressed bytes transferred (maximum: 2500000)`)
  assert.ok(bytes > 500_000 && bytes <= 2_500_000, `${bytes} bytes`)
})
