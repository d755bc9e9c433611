import { describe, expect, test } from "vitest"
import {
  bytes,
  clock,
  duration,
  elapsed,
  moment,
  percent,
  plural,
  shortCommit,
  shortDigest,
} from "../../../report/format.js"

describe("figures", () => {
  test.each([
    [0, "0 ms"],
    [340.4, "340 ms"],
    [999, "999 ms"],
    [1000, "1.0 s"],
    [9949, "9.9 s"],
    [9960, "10 s"],
    [59_499, "59 s"],
    [59_600, "1 min"],
    [192_000, "3 min 12 s"],
    [3_599_700, "1 h 00 min"],
    [3_840_000, "1 h 04 min"],
    [183_600_000, "2 d 3 h"],
    [-1, "–"],
    [Number.NaN, "–"],
  ])("%d ms lasts %s", (ms, text) => expect(duration(ms)).toBe(text))

  test.each([
    [0, "0 s"],
    [999, "0 s"],
    [7999, "7 s"],
    [75_400, "1 min 15 s"],
    [-5, "0 s"],
  ])("a clock at %d ms shows %s", (ms, text) => expect(elapsed(ms)).toBe(text))

  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [58_310_442, "58.3 MB"],
    [143_882_119, "144 MB"],
    [999_950_000, "1.0 GB"],
    [5e15, "5000 TB"],
  ])("%d bytes are %s", (count, text) => expect(bytes(count)).toBe(text))

  test("words", () => {
    expect([plural(1, "step"), plural(0, "step"), plural(2, "match", "matches")]).toEqual([
      "1 step",
      "0 steps",
      "2 matches",
    ])
    expect([percent(81), percent(87.42)]).toEqual(["81 %", "87.4 %"])
    expect(shortDigest(`sha256:${"ab".repeat(32)}`)).toBe("sha256:abababababab…")
    expect(shortDigest("main")).toBe("main")
    expect([shortCommit("4f2a9c17d8e05b6391c3"), shortCommit("v1.2.3")]).toEqual(["4f2a9c17", "v1.2.3"])
  })

  test("times in UTC, and what is no time", () => {
    expect(clock("2026-11-23T08:05:12.999Z", true)).toBe("08:05:12")
    expect(moment("2026-11-23T08:05:12Z", true)).toBe("2026-11-23 08:05:12 UTC")
    expect([clock("soon"), moment("soon")]).toEqual(["--:--:--", "soon"])
    expect(moment("2026-11-23T08:05:12Z")).toMatch(/^2026-11-2[234] \d\d:\d5:12 [+-]\d\d:\d\d$/)
  })
})
