import { describe, expect, it } from "vitest"
import { keepOne } from "../../../cli/keep-one.js"

/** Sessions that open when they are told to. */
function lab() {
  const opened: { readonly end: AbortController; closed: boolean }[] = []
  const waiting: { readonly succeed: () => void; readonly fail: (error: Error) => void }[] = []
  const one = keepOne(
    () =>
      new Promise<{ number: number; lost: AbortSignal; close(): Promise<void> }>((resolve, reject) => {
        waiting.push({
          fail: reject,
          succeed: () => {
            const session = { end: new AbortController(), closed: false }
            const number = opened.push(session)
            const close = async () => void (session.closed = true)
            resolve({ number, lost: session.end.signal, close })
          },
        })
      }),
  )
  const next = async () => {
    await expect.poll(() => waiting.length).toBe(1)
    return waiting.shift() as (typeof waiting)[number]
  }
  return { one, opened, waiting, next }
}

describe("one session for all steps of a run", () => {
  it("is opened once when several want it at the same moment", async () => {
    const { one, opened, waiting, next } = lab()
    const both = [one.get(), one.get()]
    const opening = await next()
    const third = one.get()
    opening.succeed()
    expect((await Promise.all([...both, third])).map((s) => s.number)).toEqual([1, 1, 1])
    expect((await one.get()).number).toBe(1)
    expect([opened.length, waiting.length]).toEqual([1, 0])
  })

  it("is opened anew once it was lost, and the lost one is closed", async () => {
    const { one, opened, next } = lab()
    const first = one.get()
    ;(await next()).succeed()
    await first
    opened[0]?.end.abort()
    const again = [one.get(), one.get()]
    ;(await next()).succeed()
    expect((await Promise.all(again)).map((s) => s.number)).toEqual([2, 2])
    expect(opened.map((s) => s.closed)).toEqual([true, false])
  })

  it("is tried again after it could not be opened, and those who waited together hear why", async () => {
    const { one, next } = lab()
    const both = Promise.allSettled([one.get(), one.get()])
    ;(await next()).fail(new Error("no engine"))
    expect((await both).map((r) => r.status)).toEqual(["rejected", "rejected"])
    expect(await one.current()).toBeUndefined()
    const later = one.get()
    ;(await next()).succeed()
    expect((await later).number).toBe(1)
  })

  it("is closed also when it was still being opened", async () => {
    const { one, next } = lab()
    expect(await one.current()).toBeUndefined()
    const opening = one.get()
    const current = one.current()
    ;(await next()).succeed()
    expect((await current)?.number).toBe((await opening).number)
  })
})
