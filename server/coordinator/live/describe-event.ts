import { assertNever } from '../../../shared/assert-never.ts'
import { megabytes } from '../../../shared/terminal/format.ts'
import type { RoundEvent } from '../round-state.ts'

/** One line for people. */
export function describeEvent(event: RoundEvent): string {
  switch (event.type) {
    case 'client-ready':
      return `${event.client} is ready.`
    case 'client-left':
      return `${event.client} has left.`
    case 'update-received': {
      const { sizeBytes, numExamples } = event.update
      return `${event.client} has sent its update: ${megabytes(sizeBytes)}, ${numExamples} examples.`
    }
    case 'deadline-passed':
      return 'The deadline has passed.'
    case 'round-ended':
      return `${event.by} has ended the wait for clients.`
    case 'client-banned':
      return `${event.by} has shut out ${event.client}.`
    case 'model-chosen':
      return `${event.by} has chosen model ${event.model.slice(0, 12)} to start from.`
    case 'model-fused':
      return `The updates are fused, in ${event.fused.seconds.toFixed(1)} s.`
    case 'model-tuned': {
      const { isTuned, epochs, seconds } = event.tuned
      const what = isTuned ? `tuned in ${epochs} epochs` : 'better as it was fused'
      return `The model is ${what}, in ${seconds.toFixed(1)} s.`
    }
    case 'model-evaluated':
      return event.publication.isNew
        ? `Model ${event.publication.blob.slice(0, 12)} is published.`
        : 'The model of before stays.'
    case 'work-failed':
      return `The round has failed: ${event.code}.`
    default:
      return assertNever(event)
  }
}
