import type { Preset } from './preset.ts'
import { FAULTS } from './presets/faults.ts'
import { HETERO_WIDTHS } from './presets/hetero-widths.ts'
import { NI_FULL } from './presets/ni-full.ts'
import { NI_NONIID } from './presets/ni-noniid.ts'
import { NI_SCORES } from './presets/ni-scores.ts'
import { NI_SHARDED } from './presets/ni-sharded.ts'
import { NT_CNN } from './presets/nt-cnn.ts'
import { NT_MANY } from './presets/nt-many.ts'
import { NT_NORMS } from './presets/nt-norms.ts'
import { NT_PAIRS } from './presets/nt-pairs.ts'
import { NT_SCHEDULE } from './presets/nt-schedule.ts'
import { NT_SELF } from './presets/nt-self.ts'
import { NT_WIDTHS } from './presets/nt-widths.ts'
import { ONE_SHOT } from './presets/one-shot.ts'
import { ROUNDS } from './presets/rounds.ts'
import { SCALE } from './presets/scale.ts'

/** Every preset, in the order of lists and of RESULTS.md. A new one is its file and a line here. */
export const PRESETS: readonly Preset[] = [
  ...[NT_PAIRS, NT_SELF, NT_NORMS, NT_SCHEDULE, NT_MANY, NT_WIDTHS, NT_CNN],
  ...[NI_NONIID, NI_SHARDED, NI_FULL, NI_SCORES],
  ...[ONE_SHOT, ROUNDS, HETERO_WIDTHS, FAULTS, SCALE],
]
