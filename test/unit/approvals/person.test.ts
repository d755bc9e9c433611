import { expect, it } from "vitest"
import { isSamePerson } from "../../../approvals/person.js"

const zhao = { name: "Zhao Wei", email: "zhao@shop.example" }

it.each([
  ["the same", { name: "Zhao Wei", email: "zhao@shop.example" }],
  ["address in capitals, another name", { name: "zw", email: "ZHAO@Shop.Example" }],
  ["another address, name in small letters", { name: "zhao wei", email: "private@mail.example" }],
  ["spaces in the name", { name: "  Zhao   Wei ", email: "x@mail.example" }],
  ["a tab in the name", { name: "Zhao\tWei", email: "x@mail.example" }],
  ["full-width letters", { name: "Ｚｈａｏ　Ｗｅｉ", email: "x@mail.example" }],
  ["an invisible character in the name", { name: "Zhao\u200b Wei", email: "x@mail.example" }],
  ["an invisible character in the address", { name: "zw", email: "zh\u200bao@shop.example" }],
  ["a tag in the address", { name: "zw", email: "zhao+git@shop.example" }],
  ["two tags", { name: "zw", email: "zhao+a+b@shop.example" }],
])("one person: %s", (_, other) => {
  expect(isSamePerson(zhao, other)).toBe(true)
  expect(isSamePerson(other, zhao)).toBe(true)
})

it("composed and decomposed letters are the same", () => {
  const composed = { name: "Jos\u00e9", email: "a@x.example" }
  const decomposed = { name: "Jose\u0301", email: "b@x.example" }
  expect(isSamePerson(composed, decomposed)).toBe(true)
})

it.each([
  ["others", { name: "Lin", email: "lin@shop.example" }],
  ["the same user elsewhere", { name: "Zhao Min", email: "zhao@other.example" }],
  ["a longer name", { name: "Zhao Weiwei", email: "zhaoww@shop.example" }],
  ["no name and another address", { name: "", email: "x@shop.example" }],
])("two people: %s", (_, other) => {
  expect(isSamePerson(zhao, other)).toBe(false)
  expect(isSamePerson({ ...zhao, name: "" }, other)).toBe(false)
})
