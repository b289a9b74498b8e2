import type { z } from 'zod'
import { describeOption } from '../../../shared/command/describe-option.ts'
import type { RUN_OPTIONS } from '../../../shared/command/run-options.ts'
import type { RunFormResource } from '../../../shared/protocol/operator/resources.ts'

/** Options that name files of the coordinator's machine. */
const FIXED = ['data', 'label', 'imageSize', 'channels', 'arrays', 'from', 'layout']

/** As the API describes the options of a run to whoever draws a form of them. */
export function runFormOf(options: typeof RUN_OPTIONS): z.infer<typeof RunFormResource> {
  return {
    canCreate: true,
    options: Object.entries(options).map(([name, schema]) => {
      const described = describeOption(name, schema)
      const fallback = schema.safeParse(undefined).data
      return {
        ...described,
        default: fallback ?? (described.type === 'flag' ? false : null),
        isFixed: FIXED.includes(name),
      }
    }),
  }
}
