import type { ClientState } from '../../../shared/protocol/operator/live.ts'
import type { ROUND_PHASES } from '../../../shared/protocol/operator/live.ts'
import type { RunResource } from '../../../shared/protocol/operator/resources.ts'

/** How a state looks: the same few tones everywhere. */
export type Tone = 'quiet' | 'busy' | 'good' | 'warn' | 'bad'

interface Label {
  readonly text: string
  readonly tone: Tone
}

export const STATE_LABELS = {
  away: { text: 'away', tone: 'warn' },
  ready: { text: 'ready', tone: 'quiet' },
  invited: { text: 'invited', tone: 'quiet' },
  pulling: { text: 'pulling', tone: 'busy' },
  training: { text: 'training', tone: 'busy' },
  attributing: { text: 'scoring neurons', tone: 'busy' },
  uploading: { text: 'uploading', tone: 'busy' },
  accepted: { text: 'accepted', tone: 'good' },
  evaluating: { text: 'evaluating', tone: 'busy' },
  done: { text: 'done', tone: 'good' },
  quarantined: { text: 'quarantined', tone: 'bad' },
  refused: { text: 'refused', tone: 'bad' },
} as const satisfies Record<ClientState, Label>

export type RoundPhase = (typeof ROUND_PHASES)[number]

interface PhaseLabel {
  /** In a strip of phases. */
  readonly text: string
  /** Behind “Round 12: ”. */
  readonly doing: string
}

export const PHASE_LABELS = {
  recruiting: { text: 'Recruit', doing: 'waiting for clients' },
  collecting: { text: 'Train', doing: 'clients train' },
  fusing: { text: 'Fuse', doing: 'fusing the updates' },
  tuning: { text: 'Tune', doing: 'tuning on the proxy set' },
  evaluating: { text: 'Evaluate', doing: 'measuring candidates' },
  published: { text: 'Published', doing: 'published' },
  failed: { text: 'Failed', doing: 'failed' },
} as const satisfies Record<RoundPhase, PhaseLabel>

export const RUN_LABELS = {
  queued: { text: 'queued', tone: 'quiet' },
  running: { text: 'running', tone: 'busy' },
  paused: { text: 'paused', tone: 'warn' },
  finished: { text: 'finished', tone: 'good' },
  failed: { text: 'failed', tone: 'bad' },
  stopped: { text: 'stopped', tone: 'quiet' },
} as const satisfies Record<RunResource['status'], Label>

export const CANDIDATE_LABELS = {
  fused: 'fused',
  tuned: 'fused + tuned',
  kept: 'kept the old one',
} as const
