/** The engine under test is passed on; no other setting of whoever runs the tests is. */
export function withoutGraft(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) =>
      name === 'GRAFT_ENGINE' || name === 'GRAFT_CACHE' || !/^(GRAFT_|DATABASE_URL)/.test(name),
  )
  return { ...Object.fromEntries(kept), NO_COLOR: '1' }
}
