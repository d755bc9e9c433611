import { expect, test } from "vitest"
import { reachable, transaction } from "../../src/database.js"

function fakePool() {
  const calls = []
  const note = (name) => async () => void calls.push(name)
  const connection = { beginTransaction: note("begin"), commit: note("commit"), rollback: note("rollback"), release: () => calls.push("release") }
  return { calls, getConnection: async () => connection }
}
const databaseError = (errno) => Object.assign(new Error(`error ${errno}`), { errno })

test("commits, gives the connection back and answers what the work answered", async () => {
  const pool = fakePool()
  expect(await transaction(pool, async () => 7)).toBe(7)
  expect(pool.calls).toEqual(["begin", "commit", "release"])
})

test("a deadlock is tried again, and given up after the third time", async () => {
  const pool = fakePool()
  let runs = 0
  const work = async () => {
    runs++
    throw databaseError(1213)
  }
  await expect(transaction(pool, work)).rejects.toThrowError("error 1213")
  expect(runs).toBe(3)
  expect(pool.calls.filter((name) => name === "release")).toHaveLength(3)
})

test("any other error rolls back at once", async () => {
  const pool = fakePool()
  await expect(transaction(pool, () => Promise.reject(databaseError(1062)))).rejects.toThrowError("error 1062")
  expect(pool.calls).toEqual(["begin", "rollback", "release"])
})

test("a database that does not answer is not reachable, without an exception", async () => {
  expect(await reachable({ query: () => Promise.reject(databaseError(2002)) })).toBe(false)
  expect(await reachable({ query: async () => [[{ 1: 1 }]] })).toBe(true)
})
