/** What can be lost and is closed at the end: a session with an engine. */
export interface Closable {
  readonly lost: AbortSignal
  close(): Promise<void>
}

/** One for all who want it: opened with the first, shared by those who come meanwhile, opened anew once it was lost. */
export interface KeptOne<S> {
  get(): Promise<S>
  /** The one that is open, if any; settles when an opening that is under way has. Never throws. */
  current(): Promise<S | undefined>
}

export function keepOne<S extends Closable>(open: () => Promise<S>): KeptOne<S> {
  let kept: Promise<S> | undefined
  let renewing: Promise<S> | undefined

  const current = async () => kept?.catch(() => undefined)
  const renewed = async (): Promise<S> => {
    const before = await current()
    if (before !== undefined && !before.lost.aborted) return before
    await before?.close()
    kept = open()
    return kept
  }
  return {
    get() {
      // Steps begin at the same moment: without this each of them would find none and open one.
      renewing ??= renewed().finally(() => {
        renewing = undefined
      })
      return renewing
    },
    async current() {
      await renewing?.catch(() => undefined)
      return current()
    },
  }
}
