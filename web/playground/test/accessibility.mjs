// axe finds no violation on any view.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { desktop, onPage, open, phone, run, shows, useToken, view } from './support.mjs'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Fails if axe reports a violation. The name is that of the view. */
async function check(page, name) {
  await page.evaluate(source + ';0')
  const violations = await page.evaluate(async () => {
    const { violations } = await axe.run()
    return violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map((node) => `${node.target} ${node.html.slice(0, 160)}`).join(' | ')}`)
  })
  assert.deepEqual(violations, [], name)
}

const query = 'query Front { popular(first: 3) { nodes { key name picture(size: W320) { url } user { key name picture(size: W320) { url } } } } categories { name slug } }'
const upload = 'mutation Up($mp3: Upload!) { uploadCloudcast(input: {mp3: $mp3, name: "Night Bus", tags: ["dub"]}) { message } }'

for (const [name, options] of Object.entries({
  'light': { viewport: desktop, colorScheme: 'light' },
  'dark': { viewport: desktop, colorScheme: 'dark' },
  'on a phone': { viewport: phone, colorScheme: 'light' },
})) {
  onPage(`axe has no violation, ${name}`, async (page) => {
    await open(page, query)
    await check(page, 'start')
    await run(page)
    await shows(page, 'response', /"popular":/)
    for (const tab of await page.getByRole('tablist', { name: 'Views of the result' }).getByRole('tab').allInnerTexts()) {
      await view(page, tab)
      await check(page, tab)
    }
    for (const label of await page.locator('.graphiql-sidebar button[aria-label^="Show "]').evaluateAll((all) => all.map((button) => button.getAttribute('aria-label')))) {
      await page.getByLabel(label).click()
      await page.locator('.graphiql-plugin').waitFor()
      await check(page, label)
      await page.getByLabel(label.replace('Show', 'Hide')).click()
    }
    for (const dialog of ['Open short keys dialog', 'Open settings dialog']) {
      await page.getByLabel(dialog).click()
      await page.getByRole('dialog').waitFor()
      await check(page, dialog)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await page.getByRole('button', { name: 'Use a token' }).click()
    await check(page, 'token dialog')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await useToken(page)
    await page.getByText('Robin Hale').waitFor()
    await check(page, 'signed in')
    await page.evaluate((fragment) => { location.hash = fragment }, 'query=' + encodeURIComponent(upload))
    await page.locator('.file-picker').waitFor()
    await check(page, 'file picker')
  }, options)
}
