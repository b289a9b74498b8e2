/** Whether `graft simulate` has forked this process. */
export const isSimulated = (): boolean => process.send !== undefined
