import { expect, it } from "vitest"
import { eventLines, eventsOf, sharesOf } from "../../../../environments/kubernetes/detail.js"
import type { Event } from "../../../../environments/kubernetes/kinds.js"

it.each([
  [{ blue: 0, green: 0 }, undefined],
  [
    { blue: 200, green: 0 },
    { blue: 100, green: 0 },
  ],
  [
    { blue: 200, green: 100 },
    { blue: 67, green: 33 },
  ],
])("shares %j are %j percent", (shares, percent) => {
  expect(sharesOf({ active: "blue", weights: shares, shares, preview: "none" })).toEqual(percent)
})

it("the newest warnings about what is not well, and about what was made for it", () => {
  const event = (name: string, at: string, more: Partial<Event> = {}): Event => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.${at}`, creationTimestamp: at },
    involvedObject: { kind: "Pod", name },
    reason: "Failed",
    message: `of ${name}`,
    ...more,
  })
  const events = [
    event("web-blue-1", "1", { lastTimestamp: "5" }),
    event("web-blue", "4"),
    event("web-blue-rs-x", "2", { eventTime: "3", lastTimestamp: null }),
    event("web-bluer", "9"),
    event("other", "9"),
  ]
  expect(eventsOf(events, ["web-blue"]).map((e) => `${e.about} ${e.at} ${e.text}`)).toEqual([
    "Pod web-blue-1 5 Failed: of web-blue-1",
    "Pod web-blue 4 Failed: of web-blue",
    "Pod web-blue-rs-x 3 Failed: of web-blue-rs-x",
  ])
})

it("events as lines of a log, the newest last", () => {
  const at = "2026-01-01T00:00:00Z"
  expect(eventLines([])).toBe("")
  expect(
    eventLines([
      { about: "Pod a", text: "BackOff: again", at },
      { about: "Pod a", text: "Failed: not found", at },
    ]),
  ).toBe("[event] Failed: not found\n[event] BackOff: again\n")
})
