import type { ClientState } from '../../../shared/protocol/operator/live.ts'
import { STATE_LABELS } from './labels.ts'

/** The states in the order of `CLIENT_STATES`, which comes with zod. */
export const CLIENT_STATES_ORDER = Object.keys(STATE_LABELS) as readonly ClientState[]
