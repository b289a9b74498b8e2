import type { Preset } from './preset.ts'
import { NT_MANY } from './presets/nt-many.ts'
import { NT_NORMS } from './presets/nt-norms.ts'
import { NT_PAIRS } from './presets/nt-pairs.ts'
import { NT_SCHEDULE } from './presets/nt-schedule.ts'
import { NT_SELF } from './presets/nt-self.ts'

/** Every preset, in the order of lists and of RESULTS.md. A new one is its file and a line here. */
export const PRESETS: readonly Preset[] = [NT_PAIRS, NT_SELF, NT_NORMS, NT_SCHEDULE, NT_MANY]
