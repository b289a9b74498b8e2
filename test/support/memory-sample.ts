/** What the coordinator's process holds, after a forced garbage collection. */
export interface Sample {
  readonly type: 'sample'
  /** Without the pages of program files, which Linux drops and reads again as it likes; all, where that is not told. */
  readonly residentMb: number
  /** JavaScript objects and what they keep outside of the heap. */
  readonly heapMb: number
  readonly peakRssMb: number
  /** Open sockets, timers, requests, ...: how many of each kind. */
  readonly resources: Readonly<Record<string, number>>
  /** Open file descriptors; null where the operating system has no /proc. */
  readonly openFiles: number | null
  /** Longest time since the last sample in which the event loop did not turn. */
  readonly longestBlockMs: number
}
