import { expect, it } from "vitest"
import { coAuthors } from "../../../../steps/gate/authors.js"

it.each([
  ["none", "Subject\n\nText about Co-authored-by lines\n", []],
  ["one", "Subject\n\nCo-authored-by: Lin Release <lin@shop.example>\n", [["Lin Release", "lin@shop.example"]]],
  [
    "two, other cases",
    "S\n\nCO-AUTHORED-BY: A <a@x>\nco-authored-by:B<b@x>",
    [
      ["A", "a@x"],
      ["B", "b@x"],
    ],
  ],
  ["in the middle of the text", "S\n\nCo-Authored-By: A <a@x>\n\nMore text.\n", [["A", "a@x"]]],
  ["indented", "S\n\n  Co-authored-by: A <a@x>\n", [["A", "a@x"]]],
  ["Windows line ends", "S\r\n\r\nCo-authored-by: A <a@x>\r\n", [["A", "a@x"]]],
  ["without a name", "S\n\nCo-authored-by: <a@x>\n", [["", "a@x"]]],
])("co-authors: %s", (_, message, expected) => {
  expect(coAuthors(message).map((p) => [p.name, p.email])).toEqual(expected)
})
