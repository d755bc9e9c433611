import { expect, it } from "vitest"
import { publicOrigin } from "../../../../steps/checkout/origin.js"

it.each([
  ["https://git.example.com/shop.git", "https://git.example.com/shop.git"],
  ["https://user:pass@git.example.com/shop.git?private_token=x#y", "https://git.example.com/shop.git"],
  ["https://gitlab-ci-token:glcbt-64_x@gitlab.example.com:8443/g/p.git\n", "https://gitlab.example.com:8443/g/p.git"],
  ["git@git.example.com:group/shop.git", "ssh://git.example.com/group/shop.git"],
  ["ssh://git@git.example.com:2222/shop.git", "ssh://git.example.com:2222/shop.git"],
  ["git.example.com:/srv/shop.git", "ssh://git.example.com/srv/shop.git"],
  ["/srv/git/shop.git", undefined],
  ["../shop.git", undefined],
  ["file:///srv/git/shop.git", undefined],
  ["C:\\git\\shop", undefined],
  ["", undefined],
])("%s → %s", (remote, expected) => {
  expect(publicOrigin(remote)).toBe(expected)
})
