/** Version of this Graft, as in package.json; a test compares them. */
export const GRAFT_VERSION = '0.1.0'
