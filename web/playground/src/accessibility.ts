// Corrects the markup of GraphiQL and the explorer where axe reports errors: a tab of GraphiQL contains two buttons, so it cannot
// have the role "tab"; the explorer's select and inputs have no accessible names; the accessible name of a query in the history
// differs from its text.

function correct(root: ParentNode): void {
  for (const list of root.querySelectorAll<HTMLElement>('.graphiql-tabs[role=tablist]')) list.setAttribute('role', 'group')
  for (const tab of root.querySelectorAll<HTMLElement>('.graphiql-tab')) {
    const button = tab.querySelector('.graphiql-tab-button')
    button?.setAttribute('aria-pressed', String(tab.classList.contains('graphiql-tab-active')))
    if (tab.getAttribute('role') !== 'none') tab.setAttribute('role', 'none')
    for (const { name } of [...tab.attributes]) if (name.startsWith('aria-')) tab.removeAttribute(name)
  }
  for (const select of root.querySelectorAll('.graphiql-explorer-root select:not([aria-label])')) select.setAttribute('aria-label', 'Kind of operation to add')
  for (const input of root.querySelectorAll('.graphiql-explorer-root input:not([aria-label])')) {
    const argument = input.closest('[data-arg-name]')?.getAttribute('data-arg-name') ?? input.previousElementSibling?.textContent
    input.setAttribute('aria-label', argument ? `Value of ${argument}` : 'Value')
  }
  for (const label of root.querySelectorAll('.graphiql-history-item-label[aria-label]')) label.removeAttribute('aria-label') // its text is the accessible name
}

/** Corrects the markup now and after each change. */
export function correctMarkup(root: HTMLElement): void {
  correct(root)
  new MutationObserver(() => correct(root)).observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ['class', 'role', 'aria-selected', 'aria-controls', 'aria-label'] })
}
