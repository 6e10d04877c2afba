import { useGraphiQL } from '@graphiql/react'
import { variablesOf } from '../variables'
import { applyFits, describe, type Fits } from './fix'
import { estimate, useEstimate } from './useEstimate'
import './cost.css'

/** The estimated cost of the operation in the editor, and a button that reduces the page size to fit the budget. */
export function CostMeter() {
  useEstimate()
  const current = estimate.use()
  if (!current) return <div className="cost-meter" aria-live="polite" />
  const { estimated, budget, fits } = current
  const over = estimated > budget
  return (
    <div className={over ? 'cost-meter over' : 'cost-meter'} aria-live="polite">
      <meter min={0} max={budget} high={budget - 1} value={Math.min(estimated, budget)} aria-label="Estimated calls of the budget" />
      <span>
        at most {estimated} of {budget} calls to Mixcloud
      </span>
      {over && (fits ? <FitButton fits={fits} /> : <span>Select fewer nested fields.</span>)}
    </div>
  )
}

/** Reduces the argument or the variable that the server named. */
export function FitButton({ fits }: { fits: Fits }) {
  const queryEditor = useGraphiQL((state) => state.queryEditor)
  const variableEditor = useGraphiQL((state) => state.variableEditor)
  const operationName = useGraphiQL((state) => state.operationName)
  const fix = () => {
    const variables = variablesOf(variableEditor?.getValue() ?? '')
    if (!queryEditor || !variableEditor || !variables) return
    const edited = applyFits(queryEditor.getValue(), variables, operationName, fits)
    if (!edited) return
    if (edited.query !== queryEditor.getValue()) queryEditor.setValue(edited.query)
    if (fits.variable) variableEditor.setValue(JSON.stringify(edited.variables, null, 2))
  }
  return (
    <button type="button" onClick={fix}>
      Reduce {describe(fits)}
    </button>
  )
}
