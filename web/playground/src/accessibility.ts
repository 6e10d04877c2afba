// Corrections of GraphiQL's and the explorer's markup, which axe reports: a tab of GraphiQL's list contains two buttons, so
// it cannot have the role "tab"; the explorer's select has no name.

function correct(root: ParentNode): void {
  for (const list of root.querySelectorAll<HTMLElement>('.graphiql-tabs[role=tablist]')) list.setAttribute('role', 'group')
  for (const tab of root.querySelectorAll<HTMLElement>('.graphiql-tab')) {
    const button = tab.querySelector('.graphiql-tab-button')
    button?.setAttribute('aria-pressed', String(tab.classList.contains('graphiql-tab-active')))
    if (tab.getAttribute('role') !== 'none') tab.setAttribute('role', 'none')
    if (tab.hasAttribute('aria-selected')) tab.removeAttribute('aria-selected')
  }
  for (const select of root.querySelectorAll('.graphiql-explorer-root select:not([aria-label])')) select.setAttribute('aria-label', 'Kind of operation to add')
}

/** Corrects the markup now and after each change. */
export function correctMarkup(root: HTMLElement): void {
  correct(root)
  new MutationObserver(() => correct(root)).observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ['class', 'role', 'aria-selected'] })
}
