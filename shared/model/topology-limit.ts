/** Characters of a topology, which travels in one message with the run's other settings. */
export const MOST_TOPOLOGY_CHARACTERS = 256 * 1024
