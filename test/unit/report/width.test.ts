import { describe, expect, test } from "vitest"
import { clean, cleanLine, pad, textWidth, truncate, wrap } from "../../../report/width.js"
import { hostile } from "./sample.js"
import { openScreen } from "./screen.js"

describe("columns of a text", () => {
  test.each([
    ["", 0],
    ["abc", 3],
    ["黑科易购", 8],
    ["é", 1],
    ["e\u0301", 1],
    ["한글", 4],
    ["ｆｕｌｌ", 8],
    ["🚀", 2],
    ["👩‍👩‍👧", 2],
    ["❤️", 2],
    ["✓ done", 6],
    ["\u001b[31mred\u001b[39m", 3],
    ["𠮷", 2],
    ["a\u200bb", 2],
  ])("%j takes %d", (text, width) => expect(textWidth(text)).toBe(width))

  test("agrees with a terminal", async () => {
    for (const text of ["plain", "黑科易购 delivery", "按销量排序 (sort)", "│ ✓ ✗ ⊘ … ·", "한글 ｆ", "é e\u0301"]) {
      const screen = openScreen(80, 3)
      screen.out.write(text)
      expect([text, (await screen.cursor()).x]).toEqual([text, textWidth(text)])
    }
  })
})

describe("cutting", () => {
  test.each([
    ["abcdef", 6, "abcdef"],
    ["abcdef", 5, "abcd…"],
    ["黑科易购", 8, "黑科易购"],
    ["黑科易购", 7, "黑科易…"],
    ["黑科易购", 6, "黑科…"],
    ["abc", 0, ""],
    ["黑", 1, "…"],
  ])("%j to %d", (text, columns, cut) => expect(truncate(text, columns)).toBe(cut))

  test("never wider than asked, whatever the text", () => {
    for (const text of [
      "黑科易购 delivers 很多 things",
      "👩‍👩‍👧🚀🚀 go",
      "e\u0301".repeat(30),
      "plain ascii text that goes on",
    ]) {
      for (let columns = 0; columns < 40; columns++) {
        expect(textWidth(truncate(text, columns))).toBeLessThanOrEqual(columns)
      }
    }
  })

  test("padding counts columns", () => {
    expect([pad("黑", 4), pad("黑", 4, "right"), pad("long", 2)]).toEqual(["黑  ", "  黑", "long"])
  })

  test("breaks at spaces, else anywhere; keeps lines and indentation", () => {
    expect(wrap("one two three four", 9)).toEqual(["one two", "three", "four"])
    expect(wrap("  indented\nnext", 20)).toEqual(["  indented", "next"])
    expect(wrap("abcdefghijklmnopqrstuvwxyz", 10)).toEqual(["abcdefghij", "klmnopqrst", "uvwxyz"])
    expect(wrap("黑科易购黑科易购", 8)).toEqual(["黑科易购", "黑科易购"])
    for (const line of wrap("数据库 migration 002 of 003 failed: 列 price 不存在 in table 商品 ".repeat(4), 23)) {
      expect(textWidth(line)).toBeLessThanOrEqual(23)
    }
  })
})

describe("text from outside", () => {
  test("cannot move the cursor, colour, clear or turn the direction of what follows", () => {
    const made = clean(`a\u001b[2Jb\u001b]0;title\u0007c\u0000d\u202ee\u2066f\u009b5mg\u2028h`)
    expect(made).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202a-\u202e\u2066-\u2069]/)
    expect(clean(hostile)).toContain('<script>alert("x")</script>')
  })

  test("lines stay lines, tabs become spaces, a redrawn progress bar shows its last state", () => {
    expect(clean("a\r\nb\tc")).toBe("a\nb  c")
    expect(cleanLine("10%\r55%\r100%")).toBe("100%")
    expect(cleanLine("100%\r")).toBe("100%")
    expect(cleanLine("two\nlines")).toBe("two lines")
  })
})
