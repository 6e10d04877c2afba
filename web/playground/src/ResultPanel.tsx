import { useId, useState, type ComponentType } from 'react'
import { CostView } from './cost/CostView'
import { SeeItView } from './seeit/SeeItView'
import { EventsView } from './subscriptions/EventsView'
import { WaterfallView } from './trace/WaterfallView'
import { FilePicker } from './uploads/FilePicker'

/** The views of a result, in addition to its JSON. */
const views: { name: string; View: ComponentType }[] = [
  { name: 'See it', View: SeeItView },
  { name: 'Waterfall', View: WaterfallView },
  { name: 'Cost', View: CostView },
  { name: 'Events', View: EventsView },
]

/** The panel below the response: file pickers, and tabs that show one view at a time, or none. */
export function ResultPanel() {
  const [open, setOpen] = useState(-1)
  const id = useId()
  const View = views[open]?.View
  return (
    <section className="result-panel" aria-label="Views of the result">
      <FilePicker />
      <div role="tablist" aria-label="Views of the result">
        {views.map(({ name }, i) => (
          <button key={name} type="button" role="tab" id={`${id}-${i}`} aria-selected={i === open} aria-controls={`${id}-view`} onClick={() => setOpen(i === open ? -1 : i)}>
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-view`} aria-labelledby={open < 0 ? undefined : `${id}-${open}`} hidden={open < 0} tabIndex={0}>
        {View && <View />}
      </div>
    </section>
  )
}
